"""The receiver without its broker: it serves what it has, says why it waits, and comes back."""

from harness import MqttClient, eventually, events


def broker_check(receiver):
    checks = {check["name"]: check for check in receiver.api.ready()["checks"]}
    return checks["broker"]


def test_absent_at_the_start(lab):
    broker = lab.broker(start=False)
    receiver = lab.receiver(broker, start=False).start(ready=False)
    eventually(lambda: "refused" in broker_check(receiver)["reason"])
    assert receiver.api.get_raw("/readyz").status_code == 503
    assert receiver.api.get_raw("/healthz").status_code == 200
    eventually(lambda: len(receiver.log_records(level="warning", component="ingest")) >= 2, 30,
               message="each attempt is said in the log")
    broker.start()
    receiver.wait_ready(60)


def test_lost_and_back(lab):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    with MqttClient(broker) as machine:
        machine.publish(events.topic(), events.hello(1))
    eventually(lambda: receiver.api.events())
    broker.kill()
    eventually(lambda: (broker := receiver.api.stats()["broker"])["state"] != "connected"
               and broker["reason"])
    assert len(receiver.api.events()) == 1, "what is stored is still served"
    broker.start()
    receiver.wait_ready(60)
    with MqttClient(broker) as machine:
        machine.publish(events.topic(), events.hello(2))
    eventually(lambda: len(receiver.api.events()) == 2)


def test_messages_that_came_while_the_receiver_was_away_are_delivered(lab):
    broker = lab.broker()
    receiver = lab.receiver(broker)
    receiver.terminate()
    with MqttClient(broker) as machine:
        machine.publish_all([(events.topic(), events.hello(n)) for n in range(1, 1501)])
    receiver.start()
    eventually(lambda: receiver.api.stats()["journal"]["events"] == 1500, 30)
    assert not receiver.api.incidents()


def test_a_forgotten_session_is_an_incident(lab):
    broker = lab.broker(persistence=False)
    receiver = lab.receiver(broker)
    broker.restart()
    incident = eventually(lambda: receiver.api.incidents(kind="session_lost"), 60)[0]
    assert "forgotten" in incident["detail"]
    with MqttClient(broker) as machine:
        machine.publish(events.topic(), events.hello())
    eventually(lambda: receiver.api.events())


def test_a_wrong_password_is_said(lab):
    broker = lab.broker(users={"receiver": "right"})
    receiver = lab.receiver(broker, start=False)
    password = lab.folder / "wrong"
    password.write_text("wrong\n")
    receiver.set_options(password_file=password).start(ready=False)
    eventually(lambda: "password" in broker_check(receiver)["reason"])
    password.write_text("right\n")
    receiver.wait_ready(60)


def test_a_filter_that_was_taken_out_is_unsubscribed(lab):
    broker = lab.broker()
    receiver = lab.receiver(broker, subscribe="bellbuoy/events/#,plant/#")
    receiver.set_options(subscribe="bellbuoy/events/#")
    receiver.restart()
    with MqttClient(broker) as machine:
        machine.publish("plant/press", {"n": 1})
        machine.publish(events.topic(), events.hello())
    eventually(lambda: receiver.api.events())
    assert len(receiver.api.events()) == 1
