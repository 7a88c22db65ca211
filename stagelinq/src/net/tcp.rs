//! Connections to players, from the address that faces them.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// Connects to `peer` from `from`, within `limit`.
///
/// Systems with several cables choose the wrong one for link-local peers unless the connection is
/// bound; where the system refuses to bind, it gets to choose.
pub(crate) async fn connect(
    from: Ipv4Addr,
    peer: SocketAddrV4,
    limit: Duration,
) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if !from.is_unspecified()
        && let Err(error) = socket.bind(SocketAddrV4::new(from, 0).into())
    {
        tracing::debug!(%from, %error, "cannot bind, the system chooses the network");
    }
    let stream = timeout(limit, socket.connect(peer.into()))
        .await
        .map_err(|_elapsed| io::Error::from(io::ErrorKind::TimedOut))??;
    stream.set_nodelay(true)?;
    Ok(stream)
}
