//! Owns the centre's command statuses: their names, and what each means for a message (SMPP 3.4 §5.1.3).

use rusmpp::CommandStatus as Status;

/// What a status says of a message that was submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Taken,
    /// Slower: nothing is said of the message.
    Throttled,
    /// Not now: the centre as a whole.
    Centre,
    /// Not now: this message or its recipient.
    Later,
    /// Never: nobody has this number.
    DeadAddress,
    /// Never: this message.
    Never,
}

/// Statuses by what they mean. What speaks of the account, the sender or the kind of number would
/// be said of every message alike, so it is the centre's: no message fails for it.
const MEANINGS: &[(Meaning, &[(Status, &str)])] = &[
    (Meaning::Taken, &[(Status::EsmeRok, "ESME_ROK")]),
    (
        Meaning::Throttled,
        &[
            (Status::EsmeRthrottled, "ESME_RTHROTTLED"),
            (Status::EsmeRmsgqful, "ESME_RMSGQFUL"),
        ],
    ),
    (
        Meaning::Centre,
        &[
            (Status::EsmeRsyserr, "ESME_RSYSERR"),
            (Status::EsmeRinvbndsts, "ESME_RINVBNDSTS"),
            (Status::EsmeRalybnd, "ESME_RALYBND"),
            (Status::EsmeRbindfail, "ESME_RBINDFAIL"),
            (Status::EsmeRinvpaswd, "ESME_RINVPASWD"),
            (Status::EsmeRinvsysid, "ESME_RINVSYSID"),
            (Status::EsmeRinvsystyp, "ESME_RINVSYSTYP"),
            (Status::EsmeRinvcmdid, "ESME_RINVCMDID"),
            (Status::EsmeRinvsrcadr, "ESME_RINVSRCADR"),
            (Status::EsmeRinvsrcton, "ESME_RINVSRCTON"),
            (Status::EsmeRinvsrcnpi, "ESME_RINVSRCNPI"),
            (Status::EsmeRinvdstton, "ESME_RINVDSTTON"),
            (Status::EsmeRinvdstnpi, "ESME_RINVDSTNPI"),
            (Status::EsmeRinvsertyp, "ESME_RINVSERTYP"),
            (Status::EsmeRsertypunauth, "ESME_RSERTYPUNAUTH"),
            (Status::EsmeRsertypunavail, "ESME_RSERTYPUNAVAIL"),
            (Status::EsmeRprohibited, "ESME_RPROHIBITED"),
        ],
    ),
    (
        Meaning::Later,
        &[
            (Status::EsmeRxTAppn, "ESME_RX_T_APPN"),
            (Status::EsmeRunknownerr, "ESME_RUNKNOWNERR"),
        ],
    ),
    (
        Meaning::DeadAddress,
        &[(Status::EsmeRinvdstadr, "ESME_RINVDSTADR")],
    ),
    (
        Meaning::Never,
        &[
            (Status::EsmeRxPAppn, "ESME_RX_P_APPN"),
            (Status::EsmeRxRAppn, "ESME_RX_R_APPN"),
            (Status::EsmeRsubmitfail, "ESME_RSUBMITFAIL"),
            (Status::EsmeRinvmsglen, "ESME_RINVMSGLEN"),
            (Status::EsmeRinvcmdlen, "ESME_RINVCMDLEN"),
            (Status::EsmeRinvdcs, "ESME_RINVDCS"),
            (Status::EsmeRinvesmclass, "ESME_RINVESMCLASS"),
            (Status::EsmeRinvprtflg, "ESME_RINVPRTFLG"),
            (Status::EsmeRinvregdlvflg, "ESME_RINVREGDLVFLG"),
            (Status::EsmeRinvexpiry, "ESME_RINVEXPIRY"),
            (Status::EsmeRinvsched, "ESME_RINVSCHED"),
            (Status::EsmeRinvtlvstream, "ESME_RINVOPTPARSTREAM"),
            (Status::EsmeRtlvnotallwd, "ESME_ROPTPARNOTALLWD"),
            (Status::EsmeRinvtlvlen, "ESME_RINVPARLEN"),
            (Status::EsmeRmissingtlv, "ESME_RMISSINGOPTPARAM"),
            (Status::EsmeRinvtlvval, "ESME_RINVOPTPARAMVAL"),
            (Status::EsmeRdeliveryfailure, "ESME_RDELIVERYFAILURE"),
            (Status::EsmeRsertypdenied, "ESME_RSERTYPDENIED"),
        ],
    ),
];

/// What is not listed, such as a provider's own number, is tried again: its number of tries is bounded.
pub(super) fn meaning(status: Status) -> Meaning {
    MEANINGS
        .iter()
        .find(|(_, statuses)| statuses.iter().any(|(listed, _)| *listed == status))
        .map_or(Meaning::Later, |(meaning, _)| *meaning)
}

/// `ESME_RSYSERR (0x00000008)`.
pub(super) fn name(status: Status) -> String {
    let number = u32::from(status);
    let listed = MEANINGS.iter().flat_map(|(_, statuses)| *statuses);
    match listed.into_iter().find(|(listed, _)| *listed == status) {
        Some((_, name)) => format!("{name} (0x{number:08X})"),
        None => format!("status 0x{number:08X}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_the_number_of_the_specification() {
        for (number, name, meaning) in [
            (0x00, "ESME_ROK", Meaning::Taken),
            (0x01, "ESME_RINVMSGLEN", Meaning::Never),
            (0x04, "ESME_RINVBNDSTS", Meaning::Centre),
            (0x08, "ESME_RSYSERR", Meaning::Centre),
            (0x0A, "ESME_RINVSRCADR", Meaning::Centre),
            (0x0B, "ESME_RINVDSTADR", Meaning::DeadAddress),
            (0x0D, "ESME_RBINDFAIL", Meaning::Centre),
            (0x0E, "ESME_RINVPASWD", Meaning::Centre),
            (0x0F, "ESME_RINVSYSID", Meaning::Centre),
            (0x14, "ESME_RMSGQFUL", Meaning::Throttled),
            (0x45, "ESME_RSUBMITFAIL", Meaning::Never),
            (0x58, "ESME_RTHROTTLED", Meaning::Throttled),
            (0x64, "ESME_RX_T_APPN", Meaning::Later),
            (0x65, "ESME_RX_P_APPN", Meaning::Never),
            (0x66, "ESME_RX_R_APPN", Meaning::Never),
            (0xC3, "ESME_RMISSINGOPTPARAM", Meaning::Never),
        ] {
            let status = Status::from(number);
            assert_eq!(super::name(status), format!("{name} (0x{number:08X})"));
            assert_eq!(super::meaning(status), meaning, "{name}");
        }
        let own = Status::from(0x0000_0410);
        assert_eq!(name(own), "status 0x00000410");
        assert_eq!(meaning(own), Meaning::Later);
    }
}
