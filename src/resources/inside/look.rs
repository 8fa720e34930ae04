//! A refresh: only the controller's word that there is no such thing takes it out of the state. Network.

use super::reach::{self, Away, Place, Standing, There};
use super::{AWAY, LATER, Thing, words};
use crate::diagnostics;
use crate::kafka::{Admin, Error};
use crate::plugin::context::Context;
use crate::plugin::diagnostic::{Diagnostic, Diagnostics};
use crate::plugin::operations::Private;
use crate::stack::Stack;

/// What a look came to.
pub enum Looked<T> {
    /// The cluster answered; none where there is no such thing. With what private state is to remember of the cluster.
    Seen(Option<T>, Private),
    /// The whole cluster is away, or another one answers. The thing is kept as it is, with this warning: an error would stop the very
    /// plan that puts the cluster right.
    Kept(Diagnostic),
}

/// Looks at something inside a cluster whose id is known.
///
/// # Errors
/// When somebody answers, and says why not; or nobody does for too long.
pub async fn look<T, F>(
    cx: &Context<'_, Stack>,
    away: &Away,
    thing: Thing<'_>,
    private: &Private,
    ask: impl Fn(Admin) -> F + Sync,
) -> Result<Looked<T>, Diagnostics>
where
    F: Future<Output = Result<Option<T>, Error>> + Send,
{
    let stack = cx.client()?;
    let There { admin, target, which } = match reach::find(stack, thing, private).await? {
        Place::There(there) => *there,
        Place::Gone => return Ok(Looked::Kept(words::away(thing, "neither its ConfigMap nor its StatefulSet is there"))),
    };
    let admin = admin.until(cx.deadline);
    loop {
        if reach::standing(stack, target.as_ref()).await != Standing::Serves {
            return Ok(Looked::Kept(words::away(thing, "none of its brokers is ready")));
        }
        match ask(admin.clone()).await {
            Ok(seen) => {
                away.answered(thing.cluster);
                // Before it is said to be gone: it may be there in another Kafka.
                if seen.is_some() || !reach::is_made_anew(private, target.as_ref(), &admin) {
                    reach::same_kafka(thing, private, target.as_ref(), &admin)?;
                }
                return Ok(Looked::Seen(seen, reach::remember(&which, target.as_ref(), &admin)));
            }
            Err(Error::OtherCluster(other)) => return Ok(Looked::Kept(words::another_kafka(thing, &other))),
            // Kubernetes may not have seen yet that they are gone, or they are on their way back.
            Err(error) if error.may_pass() && away.failed(thing.cluster) < AWAY && cx.pause(LATER).await.is_ok() => {}
            Err(error) => return Err(diagnostics::kafka(&format!("look at {thing}"), &error).into()),
        }
    }
}
