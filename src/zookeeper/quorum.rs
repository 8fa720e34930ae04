//! Quorum arithmetic. Pure. Rule: a write needs more than half of the voting members (ZooKeeper administrator's guide,
//! "Clustered (Multi-Server) Setup").

/// How many of `members` have to be up for the ensemble to serve; 0 of none.
pub const fn quorum(members: usize) -> usize {
    match members {
        0 => 0,
        members => members / 2 + 1,
    }
}

/// How many of `members` may be down while the ensemble serves.
pub const fn tolerates(members: usize) -> usize {
    members - quorum(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_member_adds_no_tolerance() {
        let table: Vec<_> = (0..=7).map(|members| (quorum(members), tolerates(members))).collect();
        assert_eq!(table, [(0, 0), (1, 0), (2, 0), (2, 1), (3, 1), (3, 2), (4, 2), (4, 3)]);
    }

    #[test]
    fn two_quorums_always_share_a_member() {
        for members in 1..100 {
            assert!(2 * quorum(members) > members && tolerates(members) < quorum(members));
        }
    }
}
