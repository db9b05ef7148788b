"""Building blocks of the integration and browser tests: real processes, waited for, never slept for.

    def test_a_message_arrives(lab):
        broker = lab.broker()
        receiver = lab.receiver(broker)
        with receiver.stream() as stream, MqttClient(broker) as machine:
            machine.publish(events.topic(), events.hello())
            assert stream.next_event().json["data"]["text"] == "Hello world"
"""

from . import events, nodes
from .api import Api
from .broker import Broker, wait_for_saved_session
from .broker_service import EXPIRY, BrokerService
from .certificates import Certificates
from .lab import Lab
from .mqtt import MqttClient
from .net import HOST, accepts, free_port
from .paths import BROADCASTER, BROKER, BUILD_DIR, BUOYCTL, RECEIVER, ROOT
from .process import Process
from .services import Broadcaster, Receiver, run_once
from .sse import Frame, SseStream, parse_frame
from .waiting import eventually, scaled

__all__ = [
    "Api", "BROADCASTER", "BROKER", "BUILD_DIR", "BUOYCTL", "Broadcaster", "Broker", "BrokerService",
    "Certificates", "EXPIRY", "Frame", "HOST", "Lab", "MqttClient", "Process", "RECEIVER", "ROOT", "Receiver",
    "SseStream", "accepts", "eventually", "events", "free_port", "nodes", "parse_frame", "run_once", "scaled",
    "wait_for_saved_session",
]
