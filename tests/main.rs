//! Tests of the whole program, in reading order: the real binary on real bytes, then under real servers.
//!
//! Nothing here links the program's code; what only its own modules can see is tested at the foot of their files.

mod apache; // no line lost and none counted twice, whatever is done to Apache or to the program
mod browser; // the page at `/`, in Chromium
mod contrib; // dashboards, rules, units, containers: what they name is there, and real tools take it
mod datagrams; // stdin as a datagram socket
mod dependencies; // what is compiled in is free to use, from the registry, and there once
mod distinct; // `--distinct`: different values over processes, restarts and kills
mod explain; // formats that are nearly right, and what is said of them
mod follow; // files that are followed: rotations, kills, labels
mod generations; // lives and deaths by hand: state files, signals, kills
mod golden; // one behaviour, one file: tests/golden/*.story
mod harness; // a real process: fed, scraped, signalled, waited for
mod history; // `--history`: old logs with their own times, in files and in real servers
mod house; // the laws of the house, executed
mod labels; // what strangers put into labels
mod live; // lines and scrapes at the same time, garbage, ends and taken ports
mod privileges; // started by root: what it opens, what it gives away, and what it leaves alone
mod readme; // what the documents tell an operator to type works
mod report; // `--report`: a page for a person
mod servers; // Apache, nginx and Prometheus from Debian's packages, as they run in the world
mod serving; // the face to the network: endpoints, addresses, strangers who mean harm, readers written by others
