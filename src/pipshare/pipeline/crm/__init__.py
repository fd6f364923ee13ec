"""CRMs in: what their systems send is judged, stored before it is answered, and settled afterwards.

judge.py says what a payload is; door.py takes one in, polling.py fetches them; settle.py and
taking.py make clients, events and claims of it; replay.py has it judged again. Guaranteed: nothing
received is lost or applied twice, and no payload stops another.
"""
