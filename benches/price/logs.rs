//! Access logs of made-up traffic, the same bytes for the same seed on every machine.
//!
//! They have the shape of real ones (measured on public logs): a combined line has some 230 bytes, one request in two
//! hundred is none, one line in thirty has a user, 300 lines share a second.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// A format the table measures: its name, what `--format` gets, what traffic there is, and how a line of it is written.
pub struct Format {
    pub name: &'static str,
    pub spec: &'static str,
    traffic: fn(&mut Dice, u64, usize) -> Request,
    write: fn(&mut String, &Request),
}

/// The number of the log that has the paths of one site, and as many browsers as a site sees.
pub const SITE: usize = 4;

pub const FORMATS: [Format; 5] = [
    Format { name: "combined", spec: "combined", traffic: Request::thrown, write: combined },
    Format {
        name: "vhost_combined + %D",
        spec: "%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\" %D",
        traffic: Request::thrown,
        write: vhost_combined_d,
    },
    Format {
        name: "nginx with upstream",
        spec: "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \
               \"$http_user_agent\" rt=$request_time uct=\"$upstream_connect_time\" uht=\"$upstream_header_time\" \
               urt=\"$upstream_response_time\" host=$host",
        traffic: Request::thrown,
        write: nginx_upstream,
    },
    Format {
        name: "JSON lines",
        spec: "escape=json {\"time\":\"$time_iso8601\",\"remote_addr\":\"$remote_addr\",\"host\":\"$host\",\
               \"request_method\":\"$request_method\",\"request_uri\":\"$request_uri\",\
               \"server_protocol\":\"$server_protocol\",\"status\":$status,\"body_bytes_sent\":$body_bytes_sent,\
               \"request_time\":$request_time,\"upstream_response_time\":\"$upstream_response_time\",\
               \"http_referer\":\"$http_referer\",\"http_user_agent\":\"$http_user_agent\"}",
        traffic: Request::thrown,
        write: json,
    },
    Format { name: "combined of a shop", spec: "combined", traffic: Request::of_shop, write: combined },
];

pub struct Request {
    client: String,
    user: &'static str,
    second: u64,
    vhost: String,
    method: &'static str,
    target: String,
    protocol: &'static str,
    /// What no HTTP client sends, in place of a request line.
    noise: Option<&'static str>,
    status: u16,
    bytes: u64,
    referer: String,
    agent: String,
    micros: u64,
}

/// Writes a log, unless it is there from the last time.
pub fn write(path: &Path, format: &Format, lines: u64, vhosts: usize) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let unfinished = path.with_extension("part");
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&unfinished)?);
    let mut dice = Dice(0x5DEE_CE66_D1CE_4E5B);
    let mut line = String::new();
    for number in 0..lines {
        line.clear();
        (format.write)(&mut line, &(format.traffic)(&mut dice, number, vhosts));
        out.write_all(line.as_bytes())?;
    }
    out.into_inner()?;
    std::fs::rename(unfinished, path)
}

/// A generator of pseudorandom numbers (Marsaglia, xorshift64*), for the same logs everywhere.
pub struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap_or(0)]
    }

    /// One of so many, the first of which come often.
    fn popular(&mut self, bound: u64) -> u64 {
        self.below(bound).min(self.below(bound)).min(self.below(bound))
    }

    /// Spread over magnitudes, as sizes and durations are.
    fn magnitude(&mut self, bits: u64) -> u64 {
        let most = 1 << (1 + self.below(bits));
        self.below(most)
    }
}

const WORDS: [&str; 20] = [
    "images",
    "assets",
    "shop",
    "article",
    "static",
    "news",
    "2026",
    "category",
    "thumbnail",
    "api",
    "v2",
    "users",
    "download",
    "logo",
    "main",
    "autumn-catalogue",
    "search",
    "feed",
    "garden-furniture",
    "x",
];
const ENDINGS: [&str; 8] =
    ["/", ".html", ".png", ".css?v=20261122", ".js", ".webp", "?page=4&sort=price", ""];
const AGENTS: [&str; 8] = [
    "-",
    "curl/8.14.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 \
     Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (compatible; ExampleBot/2.1; +https://bot.example.org/about.html)",
];
/// Somebody's agent: browsers in all their versions, some robots, a few tools.
fn agent(dice: &mut Dice) -> String {
    let version = 142 - dice.popular(40);
    match dice.below(12) {
        0..4 => format!(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 \
             Safari/537.36"
        ),
        4..7 => format!(
            "Mozilla/5.0 (Linux; Android {}; SM-A{}6B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 \
             Mobile Safari/537.36",
            9 + dice.below(7),
            12 + dice.popular(6)
        ),
        7..9 => format!(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_{} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
             Version/18.6 Mobile/15E148 Safari/604.1",
            dice.below(7)
        ),
        9 => format!("Mozilla/5.0 (X11; Linux x86_64; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"),
        10 => format!(
            "Mozilla/5.0 (compatible; {}; +https://www.example.org/bot.html)",
            dice.pick(&["Googlebot/2.1", "bingbot/2.0", "GPTBot/1.2", "ClaudeBot/1.0", "AhrefsBot/7.0"])
        ),
        _ => dice.pick(&["curl/8.14.1", "Go-http-client/1.1", "python-requests/2.32.3", "-"]).to_owned(),
    }
}

const NOISE: [&str; 4] = ["-", "\\x16\\x03\\x01\\x02", "\\n", "GET /"];
const STATUSES: [u16; 16] = [200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 304, 304, 301, 404, 404, 500];
const HOSTS: [&str; 6] = ["www", "www", "www", "shop", "shop", "api"];

impl Request {
    fn thrown(dice: &mut Dice, number: u64, vhosts: usize) -> Request {
        let noise = (dice.below(200) == 0).then(|| dice.pick(&NOISE));
        let site = dice.below(vhosts as u64);
        let vhost = match vhosts {
            1 => format!("{}.example.com", dice.pick(&HOSTS)),
            // So many on purpose: each with every status, one after the other.
            _ => format!("site-{site}.example.net"),
        };
        let status = match vhosts {
            1 => dice.pick(&STATUSES),
            _ => u16::try_from(200 + dice.below(25)).unwrap_or(200),
        };
        let mut target = String::new();
        for _ in 0..1 + dice.below(5) {
            target.push('/');
            target.push_str(dice.pick(&WORDS));
        }
        let _ = write!(target, "{}{}", dice.below(10_000), dice.pick(&ENDINGS));
        let referer = match dice.below(3) {
            0 => "-".to_owned(),
            _ => format!("https://www.example.com/{}/{}", dice.pick(&WORDS), dice.pick(&WORDS)),
        };
        let client = match dice.below(12) {
            0 => format!("2001:db8:{:x}::{:x}", dice.below(65_536), dice.below(65_536)),
            _ => format!("198.51.{}.{}", dice.below(256), dice.below(256)),
        };
        Request {
            client,
            user: if dice.below(30) == 0 { "frank" } else { "-" },
            second: number / 300,
            vhost,
            method: dice.pick(&["GET", "GET", "GET", "GET", "GET", "GET", "POST", "HEAD"]),
            target,
            protocol: dice.pick(&["HTTP/1.1", "HTTP/1.1", "HTTP/2.0", "HTTP/1.0"]),
            noise,
            status,
            bytes: dice.magnitude(20),
            referer,
            agent: dice.pick(&AGENTS).to_owned(),
            micros: dice.magnitude(22),
        }
    }

    /// What a shop is asked for: a few thousand things, by some six hundred different agents.
    fn of_shop(dice: &mut Dice, number: u64, vhosts: usize) -> Request {
        let thing = dice.popular(4000);
        let word = |place: u64| WORDS[usize::try_from(thing / place % 20).unwrap_or(0)];
        let name = format!("{}-{}-{thing}", word(1), word(20));
        let other = dice.below(90_000);
        let target = match dice.below(20) {
            0..5 => format!("/product/{name}"),
            5..9 => format!("/media/{name}.webp"),
            9 => format!("/product/{name}/reviews?page={}", other % 9),
            10 => format!("/category/{}", word(1)),
            11..14 => format!("/assets/app.{thing:08x}.js"),
            14 => format!("/api/stock/{other}"),
            15 => format!("/account/orders/{other}"),
            16 => "/cart".to_owned(),
            17 => format!("/search?q={}", word(1)),
            18 => "/".to_owned(),
            _ => "/checkout".to_owned(),
        };
        Request { target, agent: agent(dice), ..Request::thrown(dice, number, vhosts) }
    }

    fn request_line(&self) -> String {
        let Request { method, target, protocol, .. } = self;
        self.noise.map_or_else(|| format!("{method} {target} {protocol}"), str::to_owned)
    }

    /// Hour, minute and second of a day that never ends but for very long logs.
    fn clock(&self) -> String {
        let second = self.second;
        format!("{:02}:{:02}:{:02}", second / 3600 % 24, second / 60 % 60, second % 60)
    }

    fn common(&self, line: &mut String, bytes: &str) {
        let (client, user, clock, request) = (&self.client, self.user, self.clock(), self.request_line());
        let Request { status, referer, agent, .. } = self;
        let _ = write!(
            line,
            "{client} - {user} [22/Nov/2026:{clock} +0000] \"{request}\" {status} {bytes} \"{referer}\" \"{agent}\""
        );
    }
}

fn seconds(micros: u64) -> String {
    format!("{}.{:03}", micros / 1_000_000, micros / 1000 % 1000)
}

fn combined(line: &mut String, request: &Request) {
    let bytes = if request.status == 304 { "-".to_owned() } else { request.bytes.to_string() };
    request.common(line, &bytes);
    line.push('\n');
}

fn vhost_combined_d(line: &mut String, request: &Request) {
    let _ = write!(line, "{}:443 ", request.vhost);
    request.common(line, &(request.bytes + 250).to_string());
    let _ = writeln!(line, " {}", request.micros);
}

fn nginx_upstream(line: &mut String, request: &Request) {
    request.common(line, &request.bytes.to_string());
    let (time, vhost) = (seconds(request.micros), &request.vhost);
    let upstream = if request.status == 304 { "-" } else { &time };
    let _ = writeln!(line, " rt={time} uct=\"0.001\" uht=\"{upstream}\" urt=\"{upstream}\" host={vhost}");
}

fn json(line: &mut String, request: &Request) {
    let Request { client, vhost, method, target, protocol, status, bytes, referer, agent, .. } = request;
    let (clock, time) = (request.clock(), seconds(request.micros));
    let _ = writeln!(
        line,
        "{{\"time\":\"2026-11-22T{clock}+00:00\",\"remote_addr\":\"{client}\",\"host\":\"{vhost}\",\
         \"request_method\":\"{method}\",\"request_uri\":\"{target}\",\"server_protocol\":\"{protocol}\",\
         \"status\":{status},\"body_bytes_sent\":{bytes},\"request_time\":{time},\"upstream_response_time\":\"{time}\",\
         \"http_referer\":\"{referer}\",\"http_user_agent\":\"{agent}\"}}"
    );
}
