//! Serving: the HTTP server, who may speak to it, its port, and the pages for people.

mod documents;
pub mod guard;
pub mod http;
pub mod landing;
pub mod live;
pub mod port;
pub mod site;
