"""Make the backend's own Python environment on this machine, from inside a host that must not get its libraries.

A host makes an `Order`, starts `runner.Installer`, which is a process of its own, and polls it; what that process
does, step by step, is in `work`. `python -m semanticface.provision` does the same from a shell. The room holds

    order      what is wanted
    progress   how far it is, as the installer writes it down and a host reads it
    trouble    what can go wrong, by name, and what to do about it
    pythons    which Python to build on
    places     the folders, their marks, and which environment is in force
    child      one program run with its lines read, stopped on request
    work       the steps
    runner     the installer as a host sees it
    overview   what a panel says about all of this
    desk       looking, checking, installing, gone on with from tick to tick

Standard library only, and nothing here is imported by the backend.
"""
