/* The files of the web page, in the program (made by tools/web/embed.sh where the page was built) or read from a
 * folder. */
#ifndef TOOLS_WEB_FILES_H
#define TOOLS_WEB_FILES_H

#include <stdbool.h>

struct web_file {
	const char *name; /* "index.html", "examples/1.jpg"; NULL ends a list */
	const unsigned char *begin, *end;
};

/* Ends with a name of NULL; empty where the page was not built. */
extern const struct web_file web_files[];

/* The files of a folder and of the folders right inside, as they are now; hidden ones are left out. NULL after a
 * message on stderr. Caller frees with web_files_free. */
struct web_file *web_files_read(const char *folder);
void web_files_free(struct web_file *files);

#endif
