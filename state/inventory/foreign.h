/*
 * Files of other programs that are none of the kinds that are read.
 * For state/inventory/ alone.
 */
#ifndef WGMESH_STATE_INVENTORY_FOREIGN_H
#define WGMESH_STATE_INVENTORY_FOREIGN_H

#include "state/inventory/inventory.h"

/**
 * ERR_INPUT that says what @f is and what would do, when it is of a program
 * whose files nobody here reads; else 0. Zero bytes may be in it.
 */
int foreign_refuse(const struct inventory_file *f, struct err *e);

#endif
