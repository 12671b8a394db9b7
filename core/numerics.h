/* Which numbers the same config gives: the version of everything that decides the bits of trained weights.
 *
 * Whoever changes them on purpose (another order of a sum, another random stream, another default) raises this
 * number and renews tests/golden/tiny_manifest.json (the test says how): tests/cli/test_reproduce.c fails when the
 * bits change and the number does not. A manifest keeps it, so that `tapcut reproduce` can say why old weights do
 * not come again. */
#ifndef CORE_NUMERICS_H
#define CORE_NUMERICS_H

#define NUMERICS_VERSION 1

#endif
