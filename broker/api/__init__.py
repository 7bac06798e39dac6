"""The broker's HTTP edge: signed requests in, padded answers and problems out. No decision is made here."""
