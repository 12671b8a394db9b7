/* Clicks as data/ and train/ see them: pixel positions with a sign. */
#ifndef DATA_CLICK_H
#define DATA_CLICK_H

#include <stdbool.h>

enum { CLICKS_MAX = 64 };

struct click {
	int x, y; /* pixel */
	bool positive;
};

struct click_list {
	struct click items[CLICKS_MAX];
	int count;
};

#endif
