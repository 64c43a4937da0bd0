"""One connector within one turn: what was seen, what it is granted, and its post while it changes."""

from siteward.control.connector import ConnectorEvent, feed
from siteward.control.draft import Draft, Post
from siteward.control.observe import Seen
from siteward.model.events import Fact
from siteward.model.limits import Grant
from siteward.model.site import Connector


class Scene:
    """Lives for one turn; `disobeys` is the load's word that the connector must be stopped."""

    def __init__(self, draft: Draft, connector: Connector, grant: Grant | None, disobeys: bool) -> None:
        self.draft = draft
        self.connector = connector
        self.grant = grant
        self.disobeys = disobeys
        self.seen: Seen = draft.see(connector.id)
        self.post: Post = draft.posts[connector.id]
        self.at = draft.snapshot.at
        self.wall = draft.snapshot.wall
        self.spoke = False

    def feed(self, event: ConnectorEvent) -> bool:
        """Feed the table; whether the state changed."""
        before, after = feed(self.post.state, event)
        if before is after:
            return False
        self.post = self.post._replace(state=after)
        return True

    def tell(self, fact: Fact) -> None:
        """Journal a fact of the session; its row goes into the same batch."""
        self.draft.facts.append(fact)
        self.spoke = True
