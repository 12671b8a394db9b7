/* tapcut serve: the web page, on this machine only. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/web_files.h"
#include "tools/web_server.h"

enum { DEFAULT_PORT = 8327 };

static void print_usage(FILE *out)
{
	fprintf(out,
		"usage: tapcut serve [OPTIONS]\n"
		"\n"
		"Serves the web page on 127.0.0.1, which no other machine can reach, until Ctrl+C. Photos stay in the "
		"browser.\n"
		"\n"
		"  --port N     listen there (default %d); 0: any free port\n"
		"  --open       show the page in the browser\n"
		"  --dir DIR    serve this folder's files instead of the page in the program\n"
		"\n"
		"example: tapcut serve --open\n",
		DEFAULT_PORT);
}

struct arguments {
	int port;
	bool open, help;
	const char *dir;
};

static bool parse_port(const char *text, int *port)
{
	char *end;
	errno = 0;
	long number = strtol(text, &end, 10);
	*port = (int)number;
	return *text && !*end && !errno && number >= 0 && number <= 65535;
}

static int wrong_usage(const char *message, const char *argument)
{
	fprintf(stderr, "tapcut serve: %s%s\n", message, argument);
	return 2;
}

static int parse(int argc, char **argv, struct arguments *a)
{
	static const struct option known[] = {
		{"port", required_argument, NULL, 'p'},
		{"open", no_argument, NULL, 'o'},
		{"dir", required_argument, NULL, 'd'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	*a = (struct arguments){.port = DEFAULT_PORT};
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
		if (c == 'h')
			a->help = true;
		else if (c == 'o')
			a->open = true;
		else if (c == 'd')
			a->dir = optarg;
		else if (c != 'p')
			return wrong_usage("cannot use ", argv[optind - 1]);
		else if (!parse_port(optarg, &a->port))
			return wrong_usage("--port: expected 0 to 65535, found ", optarg);
	}
	return optind < argc ? wrong_usage("cannot use ", argv[optind]) : 0;
}

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
		fprintf(stderr, "tapcut serve: port %d: %s\n", port, strerror(errno));
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

int cmd_serve(int argc, char **argv)
{
	struct arguments arguments;
	int code = parse(argc, argv, &arguments);
	if (code)
		return code;
	if (arguments.help) {
		print_usage(stdout);
		return 0;
	}
	if (!arguments.dir && !web_files[0].name) {
		fprintf(stderr,
			"tapcut serve: this program was built without the page. make web builds it (it needs clang, "
			"lld, wasi-libc and\n"
			"libclang-rt-14-dev-wasm32); a page that is built already is served with --dir DIR\n");
		return 1;
	}
	struct web_file *folder = arguments.dir ? web_files_read(arguments.dir) : NULL;
	if (arguments.dir && !folder)
		return 1;
	code = serve(&arguments, folder ? folder : web_files);
	web_files_free(folder);
	return code;
}
