//! Serving: the HTTP server, its port, and the pages for people.

pub mod http;
pub mod landing;
pub mod port;
pub mod site;
