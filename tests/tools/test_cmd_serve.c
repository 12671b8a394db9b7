/* tapcut serve as a browser and as a stranger find it: the listed files with their types and headers, and nothing
 * else. It serves a folder made here, so that no WebAssembly toolchain is needed. */
#define _DEFAULT_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/program.h"
#include "tests/support/test.h"

static const char index_html[] = "<!doctype html><title>page</title>", secret[] = "not for the web";
static const char *dir;
static int port;
static pid_t server;

/* A port that was free a moment ago. */
static int free_port(int *holder)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof address;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*holder = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert(bind(*holder, (struct sockaddr *)&address, sizeof address) == 0 && listen(*holder, 1) == 0);
	ck_assert(getsockname(*holder, (struct sockaddr *)&address, &size) == 0);
	return ntohs(address.sin_port);
}

static int connect_to(const char *host)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	const struct timeval patience = {.tv_sec = 20};
	int s = socket(AF_INET, SOCK_STREAM, 0);
	inet_pton(AF_INET, host, &address.sin_addr);
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (connect(s, (struct sockaddr *)&address, sizeof address) == 0)
		return s;
	close(s);
	return -1;
}

/* All that comes back for these bytes; static buffer. */
static const char *ask(const char *request)
{
	static char answer[65536];
	size_t used = 0;
	int s = connect_to("127.0.0.1");
	ck_assert(s >= 0 && send(s, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request));
	for (ssize_t got; used < sizeof answer - 1 && (got = recv(s, answer + used, sizeof answer - 1 - used, 0)) > 0;)
		used += (size_t)got;
	answer[used] = '\0';
	close(s);
	return answer;
}

static const char *get(const char *target)
{
	char request[1024];
	snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", target, port);
	return ask(request);
}

static void expect(const char *answer, const char *part)
{
	ck_assert_msg(strstr(answer, part) != NULL, "\"%.600s\" lacks \"%s\"", answer, part);
}

static void start(void)
{
	int holder;
	dir = test_tmp_dir("cmd_serve");
	mkdir(in(dir, "page"), 0777);
	mkdir(in(dir, "page/examples"), 0777);
	spit(in(dir, "page/index.html"), index_html, sizeof index_html - 1);
	spit(in(dir, "page/app.js"), "1", 1);
	spit(in(dir, "page/tapcut.wasm"), "2", 1);
	spit(in(dir, "page/examples/1.jpg"), "3", 1);
	spit(in(dir, "page/.hidden"), secret, sizeof secret - 1);
	spit(in(dir, "secret"), secret, sizeof secret - 1);
	port = free_port(&holder);
	close(holder);
	server = tapcut_start("serve --dir %s/page --port %d", dir, port);
	for (int i = 0; i < 500; i++) {
		int s = connect_to("127.0.0.1");
		if (s >= 0) {
			close(s);
			return;
		}
		usleep(20000);
	}
	ck_abort_msg("no server on port %d", port);
}

static void stop(void)
{
	const struct program_result *r = tapcut_wait(server, SIGTERM);
	expect(r->out, "http://127.0.0.1:");
}

START_TEST(files_have_their_types)
{
	static const char *const files[][3] = {
		{"/", "text/html; charset=utf-8", index_html}, {"/index.html?x=1", "text/html", index_html},
		{"/app.js", "text/javascript", "1"},           {"/tapcut.wasm", "application/wasm", "2"},
		{"/examples/1.jpg", "image/jpeg", "3"},
	};
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		char type[64], body[128];
		snprintf(type, sizeof type, "Content-Type: %s", files[i][1]);
		snprintf(body, sizeof body, "\r\n\r\n%s", files[i][2]);
		const char *answer = get(files[i][0]);
		expect(answer, "HTTP/1.1 200 OK\r\n");
		expect(answer, type);
		expect(answer, body);
		expect(answer, "Cross-Origin-Opener-Policy: same-origin");
		expect(answer, "Cross-Origin-Embedder-Policy: require-corp");
		expect(answer, "X-Content-Type-Options: nosniff");
	}
}
END_TEST

START_TEST(nothing_else_is_there)
{
	static const char *const targets[] = {"/secret",        "/../secret", "/examples/../../secret",
					      "/%2e%2e/secret", "/.hidden",   "//etc/passwd",
					      "/examples",      "/examples/", "/index.htm",
					      "/index.html/"};
	for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
		const char *answer = get(targets[i]);
		expect(answer, "HTTP/1.1 404 Not Found\r\n");
		ck_assert(strstr(answer, secret) == NULL && strstr(answer, "root:") == NULL);
	}
}
END_TEST

START_TEST(head_has_no_body)
{
	const char *answer = ask("HEAD / HTTP/1.0\r\n\r\n");
	char length[64];
	snprintf(length, sizeof length, "Content-Length: %zu\r\n", sizeof index_html - 1);
	expect(answer, "200 OK");
	expect(answer, length);
	ck_assert(strstr(answer, "doctype") == NULL);
}
END_TEST

START_TEST(other_methods_and_other_names_are_refused)
{
	static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "CONNECT"};
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		char request[128];
		snprintf(request, sizeof request, "%s / HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", methods[i], port);
		const char *answer = ask(request);
		expect(answer, "405 Method Not Allowed");
		expect(answer, "Allow: GET, HEAD\r\n");
	}
	/* A page elsewhere whose name leads here. */
	expect(ask("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"), "403 Forbidden");
	expect(ask("GET / HTTP/1.1\r\nhost: 127.0.0.1:1\r\n\r\n"), "403 Forbidden");
	expect(ask("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), "403 Forbidden"); /* that would be port 80 */
}
END_TEST

/* RFC 9112, 3.2: one Host line in HTTP/1.1, with spaces around it or not. */
START_TEST(host_lines)
{
	char request[256];
	snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHoSt:\t LOCALHOST:%d \r\n\r\n", port);
	expect(ask(request), "200 OK");
	snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: localhost:%d\r\nHost: localhost:%d\r\n\r\n", port,
		 port);
	expect(ask(request), "400 Bad Request");
	snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: localhost:%d0\r\n\r\n", port);
	expect(ask(request), "403 Forbidden");
	expect(ask("GET / HTTP/1.1\r\n\r\n"), "400 Bad Request");
	expect(ask("GET / HTTP/1.0\r\n\r\n"), "200 OK");
}
END_TEST

/* Clients leave the port out of Host when it is 80. */
START_TEST(port_80)
{
	int probe = socket(AF_INET, SOCK_STREAM, 0), before = port;
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(80)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int free_to_use = bind(probe, (struct sockaddr *)&address, sizeof address) == 0;
	close(probe);
	if (!free_to_use) {
		test_skip("port 80 cannot be had here");
		return;
	}
	pid_t other = tapcut_start("serve --dir %s/page --port 80", dir);
	port = 80;
	int s = -1;
	for (int i = 0; i < 500 && (s = connect_to("127.0.0.1")) < 0; i++)
		usleep(20000);
	close(s);
	expect(ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), "200 OK");
	expect(ask("GET / HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n"), "200 OK");
	expect(ask("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"), "403 Forbidden");
	tapcut_wait(other, SIGTERM);
	port = before;
}
END_TEST

/* As many as there are places send a byte now and then: after ten seconds the places are free again. */
START_TEST(dripping_clients_hold_nobody_up)
{
	enum { PLACES = 64 };
	int drips[PLACES], served = 0;
	for (int i = 0; i < PLACES; i++)
		drips[i] = connect_to("127.0.0.1");
	for (int second = 0; second < 60 && !served; second++) {
		for (int i = 0; i < PLACES; i++)
			(void)!send(drips[i], "G", 1, MSG_NOSIGNAL);
		sleep(1);
		served = second >= 9 && strstr(get("/"), "200 OK");
	}
	ck_assert_msg(served, "not served in a minute");
	for (int i = 0; i < PLACES; i++)
		close(drips[i]);
}
END_TEST

START_TEST(places_are_counted)
{
	enum { PLACES = 64 };
	int idle[PLACES];
	for (int i = 0; i < PLACES; i++)
		idle[i] = connect_to("127.0.0.1");
	expect(get("/"), "503 Service Unavailable");
	for (int i = 0; i < PLACES; i++)
		close(idle[i]);
}
END_TEST

/* More than 8 KiB, and a NUL: no browser sends either. */
START_TEST(requests_have_a_limit_and_no_nul)
{
	static char request[9000], answer[1000];
	int used = snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nX: ", port);
	memset(request + used, 'a', 8300);
	strcpy(request + used + 8300, "\r\n\r\n");
	ck_assert_ptr_null(strstr(ask(request), "200 OK"));
	strcpy(request + used, "a\r\n\r\n");
	expect(ask(request), "200 OK");
	int s = connect_to("127.0.0.1");
	send(s, request, strlen(request) + 1, MSG_NOSIGNAL);
	ssize_t got = recv(s, answer, sizeof answer - 1, 0);
	ck_assert(got <= 0 || !strstr(answer, "200 OK"));
	close(s);
}
END_TEST

START_TEST(nonsense_is_refused)
{
	static char long_line[20000];
	memset(long_line, 'a', sizeof long_line - 1);
	static const char *const lines[] = {"\r\n\r\n", "GET\r\n\r\n", "GET / SMTP/1.0\r\n\r\n",
					    "GET index.html HTTP/1.1\r\n\r\n"};
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		expect(ask(lines[i]), "400 Bad Request");
	int s = connect_to("127.0.0.1");
	send(s, long_line, sizeof long_line - 1, MSG_NOSIGNAL);
	close(s);
	expect(get("/"), "200 OK");
}
END_TEST

/* Browsers open connections that they do not use: these must not keep the others waiting. */
START_TEST(idle_connections_hold_nobody_up)
{
	int idle[16];
	for (int i = 0; i < 16; i++)
		idle[i] = connect_to("127.0.0.1");
	expect(get("/"), "200 OK");
	for (int i = 0; i < 16; i++)
		close(idle[i]);
}
END_TEST

START_TEST(this_machine_only)
{
	ck_assert(connect_to("127.0.0.2") < 0);
}
END_TEST

START_TEST(a_taken_port_and_wrong_usage)
{
	int holder, taken = free_port(&holder);
	dir = test_tmp_dir("cmd_serve_usage");
	tapcut_fails(1, "is taken", "serve --dir %s --port %d", dir, taken);
	close(holder);
	tapcut_fails(1, "No such file", "serve --dir %s/none", dir);
	tapcut_fails(2, "--port: expected a whole number from 0 to 65535, found \"65536\"", "serve --port 65536");
	tapcut_fails(2, "--port: expected", "serve --port x");
	tapcut_fails(2, "expected options only, found \"here\" as well", "serve here");
	expect(tapcut_ok("serve --help")->out, "127.0.0.1");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("tapcut serve");
	TCase *served = tcase_create("served"), *usage = tcase_create("usage");
	tcase_add_checked_fixture(served, start, stop);
	tcase_add_test(served, files_have_their_types);
	tcase_add_test(served, nothing_else_is_there);
	tcase_add_test(served, head_has_no_body);
	tcase_add_test(served, other_methods_and_other_names_are_refused);
	tcase_add_test(served, places_are_counted);
	tcase_add_test(served, requests_have_a_limit_and_no_nul);
	tcase_add_test(served, nonsense_is_refused);
	tcase_add_test(served, host_lines);
	tcase_add_test(served, port_80);
	tcase_add_test(served, dripping_clients_hold_nobody_up);
	tcase_add_test(served, idle_connections_hold_nobody_up);
	tcase_add_test(served, this_machine_only);
	tcase_add_test(usage, a_taken_port_and_wrong_usage);
	suite_add_tcase(suite, served);
	suite_add_tcase(suite, usage);
	return suite;
}

TEST_MAIN(make_suite)
