/* The click robot of the evaluation protocol: a click at the centre of the largest error, to the letter of RITM's
 * clicker (docs/protocol.md, 1), in exact integers. */
#ifndef DATA_ROBOT_H
#define DATA_ROBOT_H

#include <stddef.h>
#include <stdint.h>

#include "data/click.h"

enum { TRUTH_BACKGROUND = 0, TRUTH_OBJECT = 1, TRUTH_IGNORE = 2 };

/* The next click for prediction `pred` (non-zero = object) against `truth` (the values above), both w x h row-major.
 * Pixels of `clicks` are not clicked again. `workspace`: robot_workspace(w, h) bytes. */
size_t robot_workspace(int w, int h);
struct click robot_next_click(const uint8_t *pred, const uint8_t *truth, int w, int h, const struct click_list *clicks,
			      void *workspace);

#endif
