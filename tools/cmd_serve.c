/* tapcut serve: the web page, on this machine only. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/web_files.h"
#include "tools/web_server.h"

struct arguments {
	int port;
	bool open;
	const char *dir;
};

static const struct option_row option_rows[] = {
	{"port", OPTION_WHOLE, OPTION_FIELD(port), "N", .help = "listen there; 0: any free port", .max = 65535,
	 .standard = "8327"},
	{"open", OPTION_FLAG, OPTION_FIELD(open), NULL, .help = "show the page in the browser"},
	{"dir", OPTION_FOLDER, OPTION_FIELD(dir), "DIR",
	 .help = "serve this folder's files instead of the page in the program"},
	{0},
};

/* The system's own way to show a page; if there is none, the address stands on the terminal. */
static void open_browser(const char *url)
{
	pid_t child = fork();
	if (child != 0)
		return;
	execlp("xdg-open", "xdg-open", url, (char *)NULL);
	execlp("open", "open", url, (char *)NULL);
	fprintf(stderr, "tapcut serve: no program here opens a browser; open %s yourself\n", url);
	_exit(1);
}

static int serve(const struct arguments *a, const struct web_file *files)
{
	char url[64];
	int port = a->port, listener = web_server_listen(&port);
	if (listener < 0 && errno == EADDRINUSE) {
		fprintf(stderr,
			"tapcut serve: port %d is taken; choose another with --port N, or --port 0 for any free one\n",
			port);
		return 1;
	}
	if (listener < 0) {
		const char *advice = errno == EACCES ? "; ports under 1024 are the system's: take a higher --port" : "";
		fprintf(stderr, "tapcut serve: port %d: %s%s\n", port, strerror(errno), advice);
		return 1;
	}
	snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
	printf("tapcut is at %s (Ctrl+C ends it)\n", url);
	fflush(stdout);
	if (a->open)
		open_browser(url);
	web_server_run(listener, port, files);
	fprintf(stderr, "tapcut serve: %s\n", strerror(errno));
	return 1;
}

static int run(void *arguments)
{
	const struct arguments *a = arguments;
	if (!a->dir && !web_files[0].name) {
		fprintf(stderr,
			"tapcut serve: this program was built without the page. make web builds it (it needs clang, "
			"lld, wasi-libc and\n"
			"libclang-rt-14-dev-wasm32); a page that is built already is served with --dir DIR\n");
		return 1;
	}
	struct web_file *folder = a->dir ? web_files_read(a->dir) : NULL;
	if (a->dir && !folder)
		return 1;
	int code = serve(a, folder ? folder : web_files);
	web_files_free(folder);
	return code;
}

const struct command command_serve = {
	.name = "serve",
	.summary = "show the web page, on this machine only",
	.usage = "[OPTIONS]",
	.about = "Serves the web page on 127.0.0.1, which no other machine can reach, until Ctrl+C. Photos stay in the "
		 "browser.",
	.options = option_rows,
	.examples = "tapcut serve --open",
	.size = sizeof(struct arguments),
	.run = run,
};
