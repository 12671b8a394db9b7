/* Every optimiser, one line each: OPTIM(KIND, name, has_second) admits the rule optim_name of core/optim_name.c, whose
 * config name is "name"; has_second: it keeps a second moment. New ones go to the end, because checkpoints know the
 * number. Included by optim.h (the enum), optim_rule.h (the declarations) and optim.c (names and table). */
OPTIM(SGD, sgd, false)
OPTIM(ADAM, adam, true)
OPTIM(ADAMW, adamw, true)
