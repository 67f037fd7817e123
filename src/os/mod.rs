//! The operating system, where the standard library has no word for it: signals, privileges, pipes, the server.
//!
//! It knows nothing of logs or metrics. nix has safe faces for the calls that std lacks, and its setuid, setgid and
//! setgroups are libc's, which change all threads at once; what has none is unsafe and stands here.

pub mod cpu;
pub mod datagrams;
mod files;
mod inherited;
mod low_ports;
mod memory;
mod pipes;
pub mod privileges;
mod server;
mod signals;
mod stop_flag;

pub use files::{allow_many_files, stderr_is_stamped};
pub use inherited::close_inherited;
pub use low_ports::LowPorts;
pub use memory::{check_address_space, has_room, release_freed_memory};
pub use pipes::{WriteMode, enlarge_pipe, is_writable, stdin_has_writer};
pub use privileges::{Identity, Privileges, UserRights, is_root};
pub use server::{
    Parent, find_out_whether_server, server_holds_stdin, started_by_server, started_by_server_before_signal,
};
pub use signals::{Signal, SignalPipe, terminate_again};
pub use stop_flag::StopFlag;
