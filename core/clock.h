/* Seconds as a program that measures itself needs them. All clocks start at an arbitrary point: only differences mean
 * something. */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

/* Time that passed, whatever the machine did meanwhile; it never jumps when the date is set. */
double clock_seconds(void);
/* Processor time of the calling thread. */
double clock_thread_seconds(void);
/* Processor time of all threads of the process together. */
double clock_process_seconds(void);

#endif
