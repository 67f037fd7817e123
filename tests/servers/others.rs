//! Servers of Debian's packages beside Apache and nginx: each is asked the odd requests, and what the program makes of
//! its log is what the client saw.

use super::odd::{Asked, Bytes, Told, agree, origin};
use crate::harness::{Process, TempDir, free_port, run, wait_for};
use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

const TOLD: Told =
    Told { bytes: Bytes::Body, duration: false, vhost: "", bad: true, aborted: 0, foreign: 0, malformed: 0 };

/// Waits until something listens.
fn wait_for_port(port: u16, server: &mut Process) -> String {
    let address = format!("127.0.0.1:{port}");
    wait_for(&format!("somebody listening on {address}"), || {
        assert!(!server.has_ended(), "the server has ended: {}{}", server.stdout(), server.stderr());
        TcpStream::connect(&address).map(drop).map_err(|e| e.to_string())
    });
    address
}

fn text(file: &Path) -> String {
    String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).into_owned()
}

// ---------------------------------------------------------------------------------------------------- HAProxy ---

/// Starts HAProxy with a line that says how it logs, and asks it.
fn haproxy(logging: &str) -> (Asked, String) {
    let (dir, port, origin) = (TempDir::new(), free_port(), origin());
    let config = dir.write(
        "haproxy.cfg",
        format!(
            "global\n log stdout format raw local0\n\
             defaults\n mode http\n log global\n {logging}\n option abortonclose\n\
             timeout connect 2s\n timeout client 5s\n timeout server 5s\n\
             frontend web\n bind 127.0.0.1:{port}\n capture request header User-Agent len 8\n\
             capture request header Host len 20\n default_backend shop\n\
             backend shop\n server app1 127.0.0.1:{origin}\n"
        ),
    );
    let mut server = Process::start(Command::new("haproxy").args(["-db", "-f"]).arg(config));
    // The probe is a request without a byte, of which the log says nothing.
    let address = wait_for_port(port, &mut server);
    let asked = Asked::of(&address);
    let log = asked.whole_log(|| server.stdout());
    (asked, log)
}

const HAPROXY: Told = Told { bytes: Bytes::Own, duration: true, vhost: "shop", ..TOLD };

/// States of which the first letter says that the client ended it.
fn gone(log: &str) -> u64 {
    let is_gone =
        |word: &str| ["CR", "CQ", "CC", "CH", "CD", "CL", "CT"].contains(&word.trim_end_matches('-'));
    let gone = log.lines().filter(|line| line.split([' ', '"']).any(is_gone)).count() as u64;
    assert!(gone >= 2, "{log}");
    gone
}

#[test]
#[ignore = "needs haproxy"]
fn haproxy_as_it_logs_by_its_options() {
    for (logging, format) in [("option httplog", "haproxy"), ("option httplog clf", "haproxy-clf")] {
        let (asked, log) = haproxy(logging);
        let told = Told { aborted: gone(&log), ..HAPROXY };
        agree(&asked, told, &log, &run(&["--once", "--format", format], log.as_bytes()));
        let auto = run(&["--once"], log.as_bytes());
        assert!(auto.stderr.contains(&format!("the format is `{format}`")), "{}", auto.stderr);
        agree(&asked, told, &log, &auto);
    }
}

#[test]
#[ignore = "needs haproxy"]
fn haproxy_as_its_log_format_says() {
    for format in [
        r#"%ci:%cp [%tr] %b %Ta %ST %B %tsc %hr %{+Q}r"#,
        r#"%{+Q}o %HM %HU %HV %ST %B %Ta %b %ts"#,
        r#"{"status":%ST,"method":"%HM","uri":"%HU","bytes":%B,"took":%Ta,"backend":"%b","state":"%ts"}"#,
    ] {
        let quoted = format.replace('\\', "\\\\").replace('"', "\\\"").replace(' ', "\\ ");
        let (asked, log) = haproxy(&format!("log-format {quoted}"));
        let spec = format!("haproxy:{format}");
        let told = Told { aborted: gone(&log), ..HAPROXY };
        agree(&asked, told, &log, &run(&["--once", "--format", &spec], log.as_bytes()));
    }
}

#[test]
#[ignore = "needs haproxy"]
fn haproxy_without_a_server_behind_it() {
    let (dir, port) = (TempDir::new(), free_port());
    let config = dir.write(
        "haproxy.cfg",
        format!(
            "global\n log stdout format raw local0\n\
             defaults\n mode http\n log global\n option httplog\n timeout connect 2s\n timeout client 5s\n\
             timeout server 5s\n frontend web\n bind 127.0.0.1:{port}\n default_backend none\n backend none\n"
        ),
    );
    let mut server = Process::start(Command::new("haproxy").args(["-db", "-f"]).arg(config));
    let address = wait_for_port(port, &mut server);
    assert_eq!(crate::harness::get(&address, "/a").expect("an answer").status, 503);
    let log = wait_for("the request in the log", || {
        let log = server.stdout();
        // The line of the connection that found the port open may stand before or behind it.
        if log.contains("HTTP/1.1\"\n") { Ok(log) } else { Err(log) }
    });
    let page = run(&["--once"], log.as_bytes()).page();
    let labels = "{method=\"GET\",status_code=\"503\",vhost=\"none\"}";
    assert_eq!(page.value(&format!("httpd_requests_total{labels}")), Some(1.0), "{log}");
    // No server was asked, so none took any time.
    assert_eq!(page.sum("httpd_upstream_response_duration_seconds_count"), 0.0, "{log}");
}

// ------------------------------------------------------------------------------------------ Varnish and Squid ---

#[test]
#[ignore = "needs varnish"]
fn varnish_by_default_and_with_a_format() {
    let (dir, port, origin) = (TempDir::new(), free_port(), origin());
    let name = dir.join("v");
    let mut server = Process::start(
        Command::new("varnishd")
            .args(["-F", "-a", &format!("127.0.0.1:{port}"), "-b", &format!("127.0.0.1:{origin}"), "-n"])
            .arg(&name),
    );
    let address = wait_for_port(port, &mut server);
    let own = r#"%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-agent}i" %D %T %{Varnish:time_firstbyte}x"#;
    let formats = [("varnish", "", false), ("", own, true)];
    let mut logs: Vec<Process> = formats
        .iter()
        .map(|(_, format, _)| {
            let mut command = Command::new("varnishncsa");
            command.arg("-n").arg(&name);
            Process::start(if format.is_empty() { &mut command } else { command.args(["-F", format]) })
        })
        .collect();
    // What is asked before they read is not in their logs.
    for log in &logs {
        wait_for("varnishncsa", || {
            let _ = crate::harness::get(&address, "/first");
            if log.stdout().contains("/first") { Ok(()) } else { Err(log.stderr()) }
        });
    }
    let asked = Asked::of(&address);
    for ((preset, format, duration), log) in formats.iter().zip(&mut logs) {
        let log = asked.whole_log(|| log.stdout());
        let log: String =
            log.lines().filter(|line| !line.contains("/first")).map(|line| format!("{line}\n")).collect();
        let spec = if preset.is_empty() { format!("varnish:{format}") } else { (*preset).to_owned() };
        let told = Told { duration: *duration, vhost: "shop.example", ..TOLD };
        agree(&asked, told, &log, &run(&["--once", "--format", &spec], log.as_bytes()));
    }
}

#[test]
#[ignore = "needs squid"]
fn squid_in_its_own_formats() {
    let (dir, port, origin) = (TempDir::new(), free_port(), origin());
    // Started by root, it writes as a user of its own.
    let writable = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    fs::set_permissions(dir.path(), writable).expect("it is ours");
    let folder = dir.path().display();
    let config = dir.write(
        "squid.conf",
        format!(
            "http_port 127.0.0.1:{port} accel defaultsite=shop.example\n\
             cache_peer 127.0.0.1 parent {origin} 0 no-query originserver\n\
             http_access allow all\ncache deny all\nstrip_query_terms off\npid_filename {folder}/pid\n\
             cache_log {folder}/cache.log\ncoredump_dir {folder}\nshutdown_lifetime 1 seconds\n\
             pinger_enable off\n\
             access_log stdio:{folder}/squid squid\naccess_log stdio:{folder}/combined combined\n\
             access_log stdio:{folder}/common common\n"
        ),
    );
    let mut server = Process::start(Command::new("squid").args(["-N", "-f"]).arg(config));
    let address = wait_for_port(port, &mut server);
    let asked = Asked::of(&address);
    for (file, preset) in [("squid", "squid"), ("combined", "squid_combined"), ("common", "squid_common")] {
        let log = asked.whole_log(|| text(&dir.join(file)));
        let told = Told {
            bytes: Bytes::Whole,
            duration: preset == "squid",
            vhost: "shop.example",
            aborted: log.matches("_ABORTED").count() as u64,
            ..TOLD
        };
        assert!(told.aborted > 0, "{log}");
        for args in [&["--once", "--format", preset][..], &["--once"]] {
            agree(&asked, told, &log, &run(args, log.as_bytes()));
        }
    }
}

// ------------------------------------------------------------------------------------ lighttpd, gunicorn, uWSGI ---

#[test]
#[ignore = "needs lighttpd"]
fn lighttpd_by_default_and_with_durations() {
    for (format, spec, told) in [
        ("", "lighttpd", Told { vhost: "shop.example", ..TOLD }),
        (
            "accesslog.format = \"%h %V %u %t \\\"%r\\\" %>s %b %D %{ms}T %T\"\n",
            r#"%h %V %u %t "%r" %>s %b %D %{ms}T %T"#,
            Told { duration: true, vhost: "shop.example", ..TOLD },
        ),
    ] {
        let (dir, port, origin) = (TempDir::new(), free_port(), origin());
        let log = dir.join("access.log");
        let config = dir.write(
            "lighttpd.conf",
            format!(
                "server.modules = ( \"mod_accesslog\", \"mod_proxy\" )\nserver.port = {port}\n\
                 server.stream-response-body = 2\n\
                 server.bind = \"127.0.0.1\"\nserver.document-root = \"{}\"\n\
                 accesslog.filename = \"{}\"\n{format}\
                 proxy.server = ( \"\" => (( \"host\" => \"127.0.0.1\", \"port\" => {origin} )) )\n",
                dir.path().display(),
                log.display(),
            ),
        );
        let mut server = Process::start(Command::new("lighttpd").args(["-D", "-f"]).arg(config));
        let address = wait_for_port(port, &mut server);
        let asked = Asked::of(&address);
        // It writes its log when it ends, or when it is told to.
        let log = asked.log(|| {
            server.signal(nix::sys::signal::Signal::SIGHUP);
            text(&log)
        });
        agree(&asked, told, &log, &run(&["--once", "--format", spec], log.as_bytes()));
    }
}

/// An application with the paths of the odd requests.
const APPLICATION: &str = "import time\n\
    def application(environ, start_response):\n\
    \x20   path = environ['PATH_INFO']\n\
    \x20   if path.startswith('/slow'): time.sleep(0.3)\n\
    \x20   status = '404 Not Found' if path == '/missing' else '200 OK'\n\
    \x20   if path == '/drip':\n\
    \x20       start_response(status, [('Content-Length', str(1 << 30))])\n\
    \x20       return (b'.' * 65536 for _ in range(1 << 14))\n\
    \x20   start_response(status, [('Content-Length', '6')])\n\
    \x20   return [] if environ['REQUEST_METHOD'] == 'HEAD' else [b'hello\\n']\n";

#[test]
#[ignore = "needs gunicorn"]
fn gunicorn_by_default_and_with_durations() {
    let own = r#"%(h)s %(t)s "%(r)s" %(s)s %(b)s %(L)s %(D)s %(M)s "%(a)s" %({host}i)s"#;
    for (format, spec, told) in [
        ("", "combined".to_owned(), Told { bad: false, ..TOLD }),
        (own, format!("gunicorn:{own}"), Told { bad: false, duration: true, ..TOLD }),
    ] {
        let (dir, port) = (TempDir::new(), free_port());
        dir.write("app.py", APPLICATION);
        let log = dir.join("access.log");
        let mut command = Command::new("gunicorn");
        command.args(["-b", &format!("127.0.0.1:{port}"), "--threads", "4", "--access-logfile"]).arg(&log);
        if !format.is_empty() {
            command.args(["--access-logformat", format]);
        }
        let mut server = Process::start(command.arg("app").current_dir(dir.path()));
        let address = wait_for_port(port, &mut server);
        // The port is open before Python has started.
        super::wait_for_answer(&address, "/missing", &mut server);
        let asked = Asked::of(&address);
        let log = asked.log(|| text(&log));
        agree(&asked, told, &log, &run(&["--once", "--format", &spec], log.as_bytes()));
    }
}

#[test]
#[ignore = "needs uwsgi, uwsgi-plugin-python3"]
fn uwsgi_by_default_and_with_durations() {
    let own =
        r#"%(addr) [%(ltime)] "%(method) %(uri) %(proto)" %(status) %(rsize) %(micros) %(msecs) "%(uagent)""#;
    for (format, spec) in [("", "uwsgi".to_owned()), (own, format!("uwsgi:{own}"))] {
        let (dir, port) = (TempDir::new(), free_port());
        let app = dir.write("app.py", APPLICATION);
        let log = dir.join("access.log");
        let mut command = Command::new("uwsgi");
        command.args([
            "--plugins",
            "python3,logfile",
            "--http-socket",
            &format!("127.0.0.1:{port}"),
            "--threads",
            "4",
        ]);
        command.args(["--need-app", "--die-on-term", "--wsgi-file"]).arg(app);
        command.arg("--req-logger").arg(format!("file:{}", log.display()));
        if !format.is_empty() {
            command.args(["--log-format", format]);
        }
        let mut server = Process::start(&mut command);
        let address = wait_for_port(port, &mut server);
        super::wait_for_answer(&address, "/missing", &mut server);
        let asked = Asked::of(&address);
        let log = asked.log(|| text(&log));
        // It cuts a target at its first blank, and has the rest before the protocol.
        let malformed = log.matches("(b HTTP/1.1 ").count() as u64;
        let told = Told { bad: false, duration: true, malformed, ..TOLD };
        agree(&asked, told, &log, &run(&["--once", "--format", &spec], log.as_bytes()));
    }
}

// ----------------------------------------------------------------------------------------------------- Tomcat ---

/// What Tomcat serves: files, and a page that takes its time.
fn write_webapp(dir: &TempDir) {
    dir.write("webapps/ROOT/ok", "hello\n");
    dir.write("webapps/ROOT/drip", vec![b'.'; 64 << 20]);
    dir.write("webapps/ROOT/slow.jsp", "<% Thread.sleep(300); %>hello\n");
    dir.write(
        "webapps/ROOT/WEB-INF/web.xml",
        "<web-app><servlet><servlet-name>slow</servlet-name><jsp-file>/slow.jsp</jsp-file></servlet>\
         <servlet-mapping><servlet-name>slow</servlet-name><url-pattern>/slow/*</url-pattern></servlet-mapping>\
         </web-app>",
    );
    for folder in ["logs", "temp", "work"] {
        fs::create_dir(dir.join(folder)).expect("a folder");
    }
}

#[test]
#[ignore = "needs tomcat10"]
fn tomcat_in_lines_and_in_json() {
    let (dir, port) = (TempDir::new(), free_port());
    let valve = |class: &str, prefix: &str, pattern: &str| {
        let pattern = pattern.replace('"', "&quot;");
        format!(
            "<Valve className=\"org.apache.catalina.valves.{class}\" directory=\"{}\" prefix=\"{prefix}\" suffix=\"\" \
             rotatable=\"false\" buffered=\"false\" pattern=\"{pattern}\"/>",
            dir.path().display()
        )
    };
    let timed = r#"%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-Agent}i" %D"#;
    let in_all_units = r#"%h %t "%r" %s %b %v %T %{us}T %F %D"#;
    let valves = [
        valve("AccessLogValve", "common", "common"),
        valve("AccessLogValve", "combined", "combined"),
        valve("AccessLogValve", "timed", timed),
        valve("AccessLogValve", "units", in_all_units),
        valve("JsonAccessLogValve", "json", r#"%h %t "%r" %s %b %D %F %v"#),
    ];
    dir.write(
        "conf/server.xml",
        format!(
            "<Server port=\"-1\"><Service name=\"Catalina\">\
             <Connector address=\"127.0.0.1\" port=\"{port}\" protocol=\"HTTP/1.1\"/>\
             <Engine name=\"Catalina\" defaultHost=\"localhost\"><Host name=\"localhost\" appBase=\"webapps\">{}\
             </Host></Engine></Service></Server>",
            valves.concat()
        ),
    );
    // It looks into every JAR for libraries of tags, which there are none of.
    let loader = "\"${catalina.home}/lib\",\"${catalina.home}/lib/*.jar\"";
    let skip = "tomcat.util.scan.StandardJarScanFilter.jarsToSkip=*.jar";
    dir.write("conf/catalina.properties", format!("common.loader={loader}\n{skip}\n"));
    dir.write("conf/web.xml", fs::read("/etc/tomcat10/web.xml").expect("the package's"));
    write_webapp(&dir);
    let java = || {
        let mut command = Command::new("java");
        command.args(["-Xms16m", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp"]);
        command.arg("/usr/share/tomcat10/bin/bootstrap.jar:/usr/share/tomcat10/bin/tomcat-juli.jar");
        command.arg("-Dcatalina.home=/usr/share/tomcat10");
        command.arg(format!("-Dcatalina.base={}", dir.path().display()));
        command.arg(format!("-Djava.io.tmpdir={}/temp", dir.path().display()));
        command.args(["org.apache.catalina.startup.Bootstrap", "start"]);
        command
    };
    let mut server = Process::start(&mut java());
    let address = format!("127.0.0.1:{port}");
    // It listens long before it answers, and compiles the page when it is first asked for.
    super::wait_for_answer(&address, "/slow/first", &mut server);
    let asked = Asked::of(&address);
    let plain = TOLD;
    let in_time = Told { duration: true, ..TOLD };
    for (file, spec, told) in [
        ("common", "common".to_owned(), plain),
        ("combined", "combined".to_owned(), plain),
        ("timed", "tomcat_D".to_owned(), in_time),
        ("units", format!("tomcat:{in_all_units}"), Told { vhost: "shop.example", ..in_time }),
        ("json", "tomcat-json".to_owned(), Told { vhost: "shop.example", ..in_time }),
    ] {
        let log = asked.log(|| text(&dir.join(file)));
        agree(&asked, told, &log, &run(&["--once", "--format", &spec], log.as_bytes()));
    }
}

// ------------------------------------------------------------------------------------------ HAProxy and rsyslog ---

#[test]
#[ignore = "needs haproxy, rsyslog"]
fn haproxy_through_rsyslog() {
    let (dir, port, udp, origin) = (TempDir::new(), free_port(), free_port(), origin());
    let log = dir.join("haproxy.log");
    let config = dir.write(
        "rsyslog.conf",
        format!(
            "module(load=\"imudp\")\ninput(type=\"imudp\" address=\"127.0.0.1\" port=\"{udp}\")\n\
             *.* action(type=\"omfile\" file=\"{}\" template=\"RSYSLOG_TraditionalFileFormat\")\n",
            log.display()
        ),
    );
    let mut rsyslog = Process::start(Command::new("rsyslogd").args(["-n", "-i", "NONE", "-f"]).arg(config));
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    wait_for("rsyslogd", || {
        assert!(!rsyslog.has_ended(), "rsyslogd has ended: {}", rsyslog.stderr());
        let _ =
            socket.send_to(b"<134>Mar  5 04:05:06 web1 haproxy[1]: Proxy web started.", ("127.0.0.1", udp));
        if log.exists() { Ok(()) } else { Err(String::new()) }
    });
    let config = dir.write(
        "haproxy.cfg",
        format!(
            "global\n log 127.0.0.1:{udp} local0\n\
             defaults\n mode http\n log global\n option httplog\n option abortonclose\n\
             timeout connect 2s\n timeout client 5s\n timeout server 5s\n\
             frontend web\n bind 127.0.0.1:{port}\n default_backend shop\n\
             backend shop\n server app1 127.0.0.1:{origin}\n"
        ),
    );
    let mut server = Process::start(Command::new("haproxy").args(["-db", "-f"]).arg(config));
    let address = wait_for_port(port, &mut server);
    let asked = Asked::of(&address);
    let log = asked.whole_log(|| text(&log));
    let foreign = log.lines().filter(|line| line.contains("Proxy ")).count() as u64;
    assert!(foreign > 0, "{log}");
    agree(&asked, Told { foreign, aborted: gone(&log), ..HAPROXY }, &log, &run(&["--once"], log.as_bytes()));
}
