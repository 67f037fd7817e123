//! Serving: the HTTP server, its port, and the pages for people.

mod documents;
pub mod http;
pub mod landing;
pub mod live;
pub mod port;
pub mod site;
