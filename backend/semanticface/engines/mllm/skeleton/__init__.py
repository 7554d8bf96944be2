"""Skeleton decoding: an answer's keys and punctuation are known, so they are fed, and only digits and signs are chosen.

    template   what an answer looks like in tokens: forced runs, places of choice, and where the values begin
    choices    what was chosen for a value, with the logits it was chosen by
    script     one row's way through its answer: free text, then the template's places, then the end
    drafts     what is proposed before the model was asked: earlier answers, or neutral digits
    lanes      the model with the memory of several rows side by side
    decode     the loop: propose, run the model once, keep what was right

It knows a model, a tokenizer and a profile, and nothing of images, frames or files. `template` and `choices` import
nothing heavy.
"""
