"""An MQTT client for tests: publishes and waits for the acknowledgements, or collects messages."""

import json
import threading
import uuid

import paho.mqtt.client as paho

from .net import HOST
from .waiting import eventually


class MqttClient:
    """MQTT 3.1.1, connected until close(). Use as a context manager.

    certificate: our own (cert, key) for a broker that demands one.
    """

    def __init__(self, broker, client_id=None, user=None, clean_session=True, certificate=None):
        self.messages = []
        self._subscribed = threading.Event()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2,
                                   client_id or f"test-{uuid.uuid4().hex[:12]}",
                                   clean_session=clean_session, protocol=paho.MQTTv311)
        self._client.max_inflight_messages_set(1000)
        self._client.on_message = lambda _c, _u, message: self.messages.append(message)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        if broker.users:
            name = user or next(iter(broker.users))
            self._client.username_pw_set(name, broker.users[name])
        if broker.tls:
            cert, key = map(str, certificate) if certificate else (None, None)
            self._client.tls_set(ca_certs=str(broker.certificates.ca), certfile=cert, keyfile=key)
        self._client.connect("localhost" if broker.tls else HOST, broker.port)
        self._client.loop_start()
        eventually(self._client.is_connected, message="the test's MQTT client is connected")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def connected(self):
        return self._client.is_connected()

    def subscribe(self, topic_filter, qos=1):
        """Returns once the broker has granted it; messages collect in `messages`."""
        self._subscribed.clear()
        self._client.subscribe(topic_filter, qos)
        assert self._subscribed.wait(10), f"no SUBACK for {topic_filter}"
        return self

    def publish(self, topic, payload, qos=1, retain=False):
        """Publishes one message (a dict as JSON) and waits for the broker's acknowledgement."""
        self.publish_all([(topic, payload)], qos, retain)

    def publish_all(self, messages, qos=1, retain=False, timeout_s=30.0):
        """Publishes (topic, payload) pairs and waits until all are acknowledged."""
        sent = [self._client.publish(topic, self._bytes(payload), qos, retain)
                for topic, payload in messages]
        for info in sent:
            info.wait_for_publish(timeout_s)
            assert info.is_published(), "no PUBACK in time"

    @staticmethod
    def _bytes(payload):
        return json.dumps(payload) if isinstance(payload, dict) else payload
