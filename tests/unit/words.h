/*
 * An error is told by its place and its first words; how the sentence goes on
 * is wording, which tests/cli/test_sentences.sh pins for a few.
 */
#ifndef WGMESH_TESTS_WORDS_H
#define WGMESH_TESTS_WORDS_H

#include <string.h>

#define assert_begins(text, words)                                        \
	do {                                                              \
		if (strncmp(text, words, strlen(words)) != 0)             \
			fail_msg("'%s' does not begin '%s'", text, words); \
	} while (0)

#endif
