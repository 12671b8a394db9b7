/* Fuzz target: the web server's requests. Whatever comes gets one answer with a status that the server gives. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/fuzz/target.h"
#include "tools/web_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_PORT = 8642, MOST_REQUEST = 16384 };

static void expect_answer(const char *answer)
{
	static const char *const statuses[] = {"200 OK", "400 Bad Request", "403 Forbidden", "404 Not Found",
					       "405 Method Not Allowed"};
	fuzz_require(strncmp(answer, "HTTP/1.1 ", 9) == 0);
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		if (strncmp(answer + 9, statuses[i], strlen(statuses[i])) == 0)
			return;
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned char page[] = "<p>page";
	static const struct web_file files[] = {{"index.html", page, page + 7},
						{"a/b.js", page, page},
						{NULL, NULL, NULL}};
	char answer[4096] = "";
	int ends[2];
	size_t used = 0;
	if (size > MOST_REQUEST || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		return 0;
	if (send(ends[0], data, size, MSG_NOSIGNAL) == (ssize_t)size && shutdown(ends[0], SHUT_WR) == 0) {
		web_server_answer(ends[1], FUZZ_PORT, files);
		shutdown(ends[1], SHUT_WR);
		for (ssize_t got;
		     used < sizeof answer - 1 && (got = recv(ends[0], answer + used, sizeof answer - 1 - used, 0)) > 0;)
			used += (size_t)got;
		answer[used] = '\0';
		expect_answer(answer);
	}
	close(ends[0]);
	close(ends[1]);
	return 0;
}
