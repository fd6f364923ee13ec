"""CRMs in: what their systems send is judged, stored before it is answered, and settled afterwards.

judge.py says what a payload is, door.py takes one in, settle.py makes clients, events and claims
of it, replay.py has it judged again. Guaranteed: nothing received is lost or applied twice.
"""
