//! Why a StatefulSet is not ready.
/// stub
#[derive(Debug)]
pub struct Reason {
    /// o
    pub object: super::Key,
    /// t
    pub text: String,
    /// f
    pub fatal: bool,
}
impl super::Kubernetes {
    /// stub
    pub async fn explain(&self, _n: &str, _s: &str, _q: &str) -> Result<Vec<Reason>, super::Failure> {
        Ok(vec![])
    }
}
