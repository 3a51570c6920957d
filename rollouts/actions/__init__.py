"""One file per act of a person, called alike by page, API and command."""
