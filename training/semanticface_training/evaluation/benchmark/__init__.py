"""The synthetic benchmark, and the calibration of the landmark engine that is fitted and judged with it.

`suite` says what the set is and who takes part, `parts` reads the kinds of pictures apart, `calibrate` fits,
`comparison` shows a calibration on footage without truth.
"""
