/* SPDX-License-Identifier: MIT. Copyright (c) 2026 the tapcut authors. */
package org.tapcut;

/** A call that the library refused; the session is as it was before it. */
public final class TapcutException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** Why, as enum tapcut_status of tapcut.h has it. */
    public enum Status { OK, NO_MEMORY, IO, FORMAT, LIMIT, ARGUMENT, CANCELLED }

    private final Status status;

    /** Called by the library with a number of enum tapcut_status. */
    TapcutException(int status, String message) {
        super(message);
        this.status = Status.values()[status];
    }

    public Status getStatus() {
        return status;
    }
}
