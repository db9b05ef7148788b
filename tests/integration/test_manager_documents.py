"""A node's containers follow what is published: made, changed, removed, left alone."""


def test_a_service_is_made_changed_and_removed(node):
    node.apply({"web": node.service(environment={"A": "1"}), "db": node.service()})
    node.assert_runs_only("web", "db")
    web, db = node.id("web"), node.id("db")

    node.apply({"web": node.service(environment={"A": "2"}), "db": node.service()})
    assert node.id("web") != web
    assert node.id("db") == db
    assert "A=2" in node.container("web")["Config"]["Env"]
    node.assert_runs_only("web", "db")

    node.apply({"db": node.service()})
    node.assert_runs_only("db")
    assert node.id("db") == db
