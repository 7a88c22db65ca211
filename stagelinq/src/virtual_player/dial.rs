//! A player that calls: mixers and some players dial whoever announces a directory, ask what is offered there, and
//! connect to it. Subscriptions then come from the callee, over the connections that the player made.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::broadcast;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval_at};

use super::serve::{Life, Offer, Order, nonsense, reference, serve_called};
use crate::net::tcp;
use crate::wire::directory::{Directory, DirectoryStream};

/// To connect.
const LIMIT: Duration = Duration::from_secs(5);
/// Between signs of life.
const PING: Duration = Duration::from_secs(5);

/// Keeps one callee's directory open and serves what it asks for, until it hangs up.
pub(super) async fn dial(
    life: Arc<Life>,
    from: Ipv4Addr,
    callee: SocketAddrV4,
    orders: broadcast::Sender<Order>,
) -> SocketAddrV4 {
    if let Err(error) = converse(&life, from, callee, &orders).await {
        tracing::debug!(%callee, %error, "a call of a virtual player ends");
    }
    callee
}

async fn converse(
    life: &Arc<Life>,
    from: Ipv4Addr,
    callee: SocketAddrV4,
    orders: &broadcast::Sender<Order>,
) -> io::Result<()> {
    let mut line = tcp::connect(from, callee, LIMIT).await?;
    let token = life.token;
    line.write_all(&Directory::Request { token }.encode())
        .await?;
    let mut stream = DirectoryStream::default();
    let mut buffer = vec![0; 16 << 10];
    let mut ping = interval_at(Instant::now() + PING, PING);
    let mut services = JoinSet::new();
    let mut open = Vec::new();
    loop {
        let length = tokio::select! {
            length = line.read(&mut buffer) => length?,
            _ = ping.tick() => {
                line.write_all(&reference(life)).await?;
                continue;
            }
        };
        if length == 0 {
            return Ok(());
        }
        stream.push(buffer.get(..length).unwrap_or_default());
        while let Some(message) = stream.next().map_err(nonsense)? {
            match message {
                Directory::Service { service, port, .. } => {
                    let offer = [Offer::StateMap, Offer::BeatInfo]
                        .into_iter()
                        .find(|offer| offer.as_str() == service && !open.contains(offer));
                    if let Some(offer) = offer {
                        open.push(offer);
                        let (life, hears) = (Arc::clone(life), orders.subscribe());
                        let place = SocketAddrV4::new(*callee.ip(), port);
                        services.spawn(async move {
                            match greet(&life, from, place, offer).await {
                                Ok(stream) => serve_called(life, offer, stream, hears).await,
                                Err(error) => {
                                    tracing::debug!(%place, %error, "a service is not there");
                                }
                            }
                        });
                    }
                }
                Directory::Reference { from, clock, .. } if from != token => {
                    let to = token;
                    line.write_all(&Directory::Reference { from, to, clock }.encode())
                        .await?;
                }
                Directory::Request { .. } | Directory::Reference { .. } => {}
            }
        }
    }
}

/// Connects to a service and says which it wants.
async fn greet(
    life: &Life,
    from: Ipv4Addr,
    place: SocketAddrV4,
    offer: Offer,
) -> io::Result<TcpStream> {
    let mut stream = tcp::connect(from, place, LIMIT).await?;
    let hello = Directory::Service {
        token: life.token,
        service: offer.as_str().to_owned(),
        port: stream.local_addr()?.port(),
    };
    stream.write_all(&hello.encode()).await?;
    Ok(stream)
}
