/*
 * Questions on the terminal.
 */
#ifndef WGMESH_CMD_ASK_H
#define WGMESH_CMD_ASK_H

#include "base/err.h"
#include "base/sbuf.h"
#include "base/secret.h"

#include <stdbool.h>

/** Is there somebody to ask? */
bool ask_on_terminal(void);

/**
 * Get the yes that a change needs. @said: an option said it already. Else
 * @question is asked; NULL asks nobody, for a command whose output a program
 * reads. -1 with ERR_INPUT and the text @unasked where nobody could be asked,
 * ERR_CONFLICT and @refused for any other answer.
 */
int ask_consent(bool said, const char *question, const char *unasked,
		const char *refused, struct err *e);

/**
 * Ask for the passphrase of @file without echo, on the terminal itself.
 * 0, or -1 when there is none or nothing was typed.
 */
int ask_passphrase(const char *file, struct sbuf *passphrase);

/**
 * Ask for a secret without echo. The prompt and a line end go to stderr when
 * stdin is the terminal, else to the terminal itself. 0, or -1 with ERR_INPUT.
 */
int ask_secret(const char *prompt, struct secret *out, struct err *e);

#endif
