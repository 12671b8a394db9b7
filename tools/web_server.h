/* A web server for the page and nothing else: a fixed list of files, on 127.0.0.1, read only.
 *
 * libmicrohttpd would do as well, but is one more library for everybody who builds tapcut; what a page on one's own
 * machine needs of HTTP is GET and HEAD of names in a list. There are no paths, so none can lead out of a folder. */
#ifndef TOOLS_WEB_SERVER_H
#define TOOLS_WEB_SERVER_H

#include "tools/web_files.h"

/* Listens on 127.0.0.1. *port: 0 chooses a free one, and says which. The socket, or -1 with errno set. */
int web_server_listen(int *port);

/* Reads one request from a connected socket and answers it; the socket stays open. `port` is what Host must name. */
void web_server_answer(int socket, int port, const struct web_file *files);

/* Answers until the process ends; returns only when the socket fails. */
void web_server_run(int listener, int port, const struct web_file *files);

#endif
