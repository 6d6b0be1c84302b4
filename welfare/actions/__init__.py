"""The only place of this app where rows change; money moves in `welfare.disbursement`."""
