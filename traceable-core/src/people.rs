//! What is said of conversations and of the users who take part in them.

use serde::Serialize;

use crate::{clock, record::SaidKind, said::Said};

/// Begins to say something of a conversation, by the id that the application gave it. [`ThreadRecord::send`] sends it.
///
/// The conversation need not be known: to name it first and to change it later are the same.
///
/// ```
/// traceable_core::thread("chat-7").name("Where is my order?").user("ada@example.com").tag("support").send();
/// ```
pub fn thread(id: &str) -> ThreadRecord {
    let mut said = Said::new(None);
    said.field("id", id);
    ThreadRecord { said }
}

/// What is said of a conversation. See [`thread`].
#[derive(Debug)]
#[must_use = "nothing is said before `send`"]
pub struct ThreadRecord {
    said: Said,
}

impl ThreadRecord {
    /// A title.
    pub fn name(mut self, name: &str) -> Self {
        self.said.field("name", name);
        self
    }

    /// The user, by id or identifier.
    pub fn user(mut self, user: &str) -> Self {
        self.said.field("user", user);
        self
    }

    /// Adds a tag.
    pub fn tag(mut self, tag: &str) -> Self {
        self.said.tag(tag);
        self
    }

    /// Adds a metadata value.
    pub fn metadata<T: Serialize + ?Sized>(mut self, key: &str, value: &T) -> Self {
        self.said.metadata(key, value);
        self
    }

    /// Sends it on its way, without waiting. What finds no room is counted.
    pub fn send(self) {
        send(self.said, SaidKind::Thread);
    }
}

/// Begins to say something of a user, by what tells the user from all others, such as an e-mail address.
/// [`UserRecord::send`] sends it.
///
/// The user need not be known: to create one and to change one are the same, and values are merged key by key.
///
/// ```
/// traceable_core::user("ada@example.com").metadata("plan", "team").send();
/// ```
pub fn user(identifier: &str) -> UserRecord {
    let mut said = Said::new(None);
    said.field("identifier", identifier);
    UserRecord { said }
}

/// What is said of a user. See [`user`].
#[derive(Debug)]
#[must_use = "nothing is said before `send`"]
pub struct UserRecord {
    said: Said,
}

impl UserRecord {
    /// Adds a metadata value.
    pub fn metadata<T: Serialize + ?Sized>(mut self, key: &str, value: &T) -> Self {
        self.said.metadata(key, value);
        self
    }

    /// Sends it on its way, without waiting. What finds no room is counted.
    pub fn send(self) {
        send(self.said, SaidKind::User);
    }
}

fn send(mut said: Said, kind: SaidKind) {
    said.field("time", &clock::now());
    said.send(kind);
}
