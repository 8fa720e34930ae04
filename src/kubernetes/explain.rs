//! Why a StatefulSet is not ready.
