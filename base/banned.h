/*
 * Functions that this project does not use, made unusable: forced into every
 * translation unit by the Makefile (-include). The headers that declare them
 * come first, so that third-party headers still compile.
 */
#ifndef WGMESH_BASE_BANNED_H
#define WGMESH_BASE_BANNED_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/** What the compiler then says it does not know. */
#define BANNED(f) sorry_##f##_is_banned_in_wgmesh

#undef sprintf
#define sprintf BANNED(sprintf) /* snprintf() knows the room */
#undef vsprintf
#define vsprintf BANNED(vsprintf) /* vsnprintf() */
#undef strcpy
#define strcpy BANNED(strcpy) /* mem_strdup(), snprintf() */
#undef strcat
#define strcat BANNED(strcat) /* sbuf_puts() */
#undef strncpy
#define strncpy BANNED(strncpy) /* may leave no NUL: mem_strndup() */
#undef strncat
#define strncat BANNED(strncat) /* sbuf_add() */
#undef strtok
#define strtok BANNED(strtok) /* not for threads: strtok_r(), strsep() */
#undef atoi
#define atoi BANNED(atoi) /* takes anything: num_parse() */
#undef atol
#define atol BANNED(atol) /* the same */
#undef gmtime
#define gmtime BANNED(gmtime) /* not for threads: gmtime_r() */
#undef localtime
#define localtime BANNED(localtime) /* localtime_r() */
#undef system
#define system BANNED(system) /* a shell: run_start() */
#undef tmpnam
#define tmpnam BANNED(tmpnam) /* a race: temporary_open() */

#endif
