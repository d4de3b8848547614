//! What went over the wire, counted.

/// What central's side saw, packet by packet (`GIT_TRACE_PACKET`).
pub struct Wire(pub(crate) Vec<String>);

impl Wire {
    fn count(&self, needle: &str) -> usize {
        self.0.iter().filter(|line| line.contains(needle)).count()
    }

    /// Requests for objects.
    pub fn wants(&self) -> usize {
        self.count("upload-pack< want ")
    }

    /// Listings of refs: of protocol v2, or the one that v0 and v1 begin with.
    pub fn listings(&self) -> usize {
        self.count("upload-pack< command=ls-refs")
    }

    /// Anything at all said to receive-pack.
    pub fn pushes(&self) -> usize {
        self.count("receive-pack")
    }
}
