"""A short message centre on PyPI's smpp34: takes each message, and tells in words alone that it arrived."""

import asyncio
import json
import sys

import smpp34


def say(event, **more):
    print(json.dumps({"event": event, **more}), flush=True)


async def serve(port):
    server = smpp34.Server("127.0.0.1", port, system_id="centre")
    await server.start()
    say("listening", port=port)
    sessions = {}
    taken = 0
    while True:
        event = await server.next()
        if isinstance(event, smpp34.Esme):
            sessions[event.session_id] = event
            say("bind", system_id=event.system_id)
        elif isinstance(event, smpp34.SubmitSmEvent):
            taken += 1
            say("submit", to=event.destination_addr, esm_class=event.esm_class,
                registered_delivery=event.registered_delivery, bytes=event.short_message.hex())
            event.accept(str(taken))
            words = f"id:{taken} sub:001 dlvrd:001 submit date:2601090930 done date:2601090931 stat:DELIVRD err:000 text:"
            answer = await sessions[event.session_id].deliver_sm(
                event.source_addr, words.encode(), source_addr=event.destination_addr, esm_class=4)
            say("receipt", status=getattr(answer, "command_status", 0))
        else:
            say("unbind")


asyncio.run(asyncio.wait_for(serve(int(sys.argv[1])), 120))
