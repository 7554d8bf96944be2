"""Stage I: recorded coefficients to the four-part description that Stage II trains on (paper, section 3.2)."""
