/* See web_server.h. A thread for each connection, one request each: browsers open several at once, and some that
 * they never use. */
#define _DEFAULT_SOURCE
#include "tools/web_server.h"

#include "core/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { REQUEST_SIZE = 8192, MOST_CONNECTIONS = 64, BACKLOG = 64, HTTP_PORT = 80 };

/* Seconds for a whole request, and for a whole answer: who sends or takes a byte now and then must not hold a place. */
static const double REQUEST_PATIENCE = 10, ANSWER_PATIENCE = 60;

struct connection {
	int socket, port;
	const struct web_file *files;
};
static atomic_int connections;

int web_server_listen(int *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port)};
	socklen_t size = sizeof address;
	int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener < 0)
		return -1;
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, BACKLOG) ||
	    getsockname(listener, (struct sockaddr *)&address, &size)) {
		int why = errno;
		close(listener);
		errno = why;
		return -1;
	}
	*port = ntohs(address.sin_port);
	return listener;
}

/* --- the answer ----------------------------------------------------------- */

static const char *type_of(const char *name)
{
	static const char *const types[][2] = {
		{"html", "text/html; charset=utf-8"},
		{"js", "text/javascript; charset=utf-8"},
		{"css", "text/css; charset=utf-8"},
		{"wasm", "application/wasm"},
		{"svg", "image/svg+xml"},
		{"webmanifest", "application/manifest+json"},
		{"mjs", "text/javascript; charset=utf-8"},
		{"jpg", "image/jpeg"},
		{"png", "image/png"},
	};
	const char *dot = strrchr(name, '.');
	for (size_t i = 0; dot && i < sizeof types / sizeof types[0]; i++)
		if (!strcmp(dot + 1, types[i][0]))
			return types[i][1];
	return "application/octet-stream";
}

/* `option` (SO_RCVTIMEO, SO_SNDTIMEO) gives up at `deadline` of the clock; false when that is now. */
static bool wait_until(int socket, int option, double deadline)
{
	double left = deadline - clock_seconds();
	if (left <= 0)
		return false;
	long microseconds = (long)(left * 1e6) + 1;
	struct timeval patience = {.tv_sec = microseconds / 1000000, .tv_usec = microseconds % 1000000};
	return setsockopt(socket, SOL_SOCKET, option, &patience, sizeof patience) == 0;
}

static void send_all(int socket, const void *data, size_t size)
{
	double deadline = clock_seconds() + ANSWER_PATIENCE;
	for (const char *at = data; size > 0;) {
		if (!wait_until(socket, SO_SNDTIMEO, deadline))
			return;
		ssize_t sent = send(socket, at, size, MSG_NOSIGNAL);
		if (sent <= 0)
			return;
		at += sent;
		size -= (size_t)sent;
	}
}

/* The page may use shared memory (COOP, COEP), nobody may frame it or guess its types, and the network is asked each
 * time. */
static void send_head(int socket, const char *status, const char *type, size_t size)
{
	char head[1024];
	int length = snprintf(head, sizeof head,
			      "HTTP/1.1 %s\r\n"
			      "Content-Type: %s\r\n"
			      "Content-Length: %zu\r\n"
			      "%s"
			      "Cross-Origin-Opener-Policy: same-origin\r\n"
			      "Cross-Origin-Embedder-Policy: require-corp\r\n"
			      "Cross-Origin-Resource-Policy: same-origin\r\n"
			      "X-Content-Type-Options: nosniff\r\n"
			      "X-Frame-Options: DENY\r\n"
			      "Referrer-Policy: no-referrer\r\n"
			      "Cache-Control: no-cache\r\n"
			      "Connection: close\r\n\r\n",
			      status, type, size, !strncmp(status, "405", 3) ? "Allow: GET, HEAD\r\n" : "");
	send_all(socket, head, (size_t)length);
}

static void refuse(int socket, const char *status)
{
	char text[128];
	int length = snprintf(text, sizeof text, "%s\n", status);
	send_head(socket, status, "text/plain; charset=utf-8", (size_t)length);
	send_all(socket, text, (size_t)length);
}

/* --- the request ---------------------------------------------------------- */

/* Up to the empty line; false when that does not come. */
static bool read_request(int socket, char *request)
{
	size_t used = 0;
	double deadline = clock_seconds() + REQUEST_PATIENCE;
	while (used < REQUEST_SIZE - 1 && wait_until(socket, SO_RCVTIMEO, deadline)) {
		ssize_t got = recv(socket, request + used, REQUEST_SIZE - 1 - used, 0);
		if (got <= 0)
			return false;
		used += (size_t)got;
		request[used] = '\0';
		if (strlen(request) < used)
			return false; /* a NUL has no place here */
		if (strstr(request, "\r\n\r\n"))
			return true;
	}
	return false;
}

/* "127.0.0.1" or "localhost", with the port; without it where that is the protocol's own. */
static bool host_is_ours(const char *host, size_t length, int port)
{
	static const char *const names[] = {"127.0.0.1", "localhost"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char wanted[64];
		int size = snprintf(wanted, sizeof wanted, "%s:%d", names[i], port);
		size_t bare = strlen(names[i]);
		if ((length == (size_t)size || (length == bare && port == HTTP_PORT)) &&
		    !strncasecmp(host, wanted, length))
			return true;
	}
	return false;
}

/* NULL, or why the request has no business here: another site's page could reach this server under a name of its own
 * that leads to 127.0.0.1. HTTP/1.1 wants one Host line, no more and no less (RFC 9112, 3.2); HTTP/1.0 has none. */
static const char *check_host(const char *request, const char *version, int port)
{
	int found = 0;
	bool ours = true;
	for (const char *line = strstr(request, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
		if (strncasecmp(line + 2, "Host:", 5))
			continue;
		const char *host = line + 7 + strspn(line + 7, " \t");
		size_t length = strcspn(host, "\r\n");
		while (length > 0 && strchr(" \t", host[length - 1]))
			length--;
		ours &= host_is_ours(host, length, port);
		found++;
	}
	if (found > 1 || (found == 0 && strcmp(version, "HTTP/1.0") != 0))
		return "400 Bad Request";
	return ours ? NULL : "403 Forbidden";
}

/* "/name?query" -> the file; "/" is index.html. */
static const struct web_file *find_file(const struct web_file *files, const char *target)
{
	const char *name = target[1] == '\0' || target[1] == '?' ? "index.html" : target + 1;
	size_t length = strcspn(name, "?");
	for (; files->name; files++)
		if (strlen(files->name) == length && !memcmp(files->name, name, length))
			return files;
	return NULL;
}

static void answer(const struct connection *c, const char *request)
{
	char method[8], target[512], version[16];
	if (sscanf(request, "%7s %511s %15[^\r\n]", method, target, version) != 3 || strncmp(version, "HTTP/1.", 7) ||
	    target[0] != '/')
		return refuse(c->socket, "400 Bad Request");
	const char *foreign = check_host(request, version, c->port);
	if (foreign)
		return refuse(c->socket, foreign);
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return refuse(c->socket, "405 Method Not Allowed");
	const struct web_file *file = find_file(c->files, target);
	if (!file)
		return refuse(c->socket, "404 Not Found");
	size_t size = (size_t)(file->end - file->begin);
	send_head(c->socket, "200 OK", type_of(file->name), size);
	if (!strcmp(method, "GET"))
		send_all(c->socket, file->begin, size);
}

void web_server_answer(int socket, int port, const struct web_file *files)
{
	const struct connection c = {socket, port, files};
	char request[REQUEST_SIZE];
	if (read_request(socket, request))
		answer(&c, request);
	else
		refuse(socket, "400 Bad Request");
}

static void *serve(void *argument)
{
	struct connection *c = argument;
	web_server_answer(c->socket, c->port, c->files);
	shutdown(c->socket, SHUT_WR);
	close(c->socket);
	free(c);
	atomic_fetch_sub(&connections, 1);
	return NULL;
}

static void accept_one(int socket, int port, const struct web_file *files)
{
	struct connection *c = malloc(sizeof *c);
	pthread_t thread;
	if (c)
		*c = (struct connection){socket, port, files};
	if (c && atomic_fetch_add(&connections, 1) < MOST_CONNECTIONS) {
		if (pthread_create(&thread, NULL, serve, c) == 0) {
			pthread_detach(thread);
			return;
		}
	}
	if (c)
		atomic_fetch_sub(&connections, 1);
	free(c);
	refuse(socket, "503 Service Unavailable");
	close(socket);
}

void web_server_run(int listener, int port, const struct web_file *files)
{
	for (;;) {
		int socket = accept(listener, NULL, NULL);
		if (socket >= 0)
			accept_one(socket, port, files);
		else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			usleep(10000); /* others will be done soon */
		else if (errno != EINTR && errno != ECONNABORTED)
			return;
	}
}
