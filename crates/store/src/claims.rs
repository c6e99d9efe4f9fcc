//! Who claims an address in the mirror, and who holds it in the portal.

use std::collections::{BTreeSet, HashSet};

use domain::{
    address::Address,
    service::{Service, Source},
};

use crate::{
    CustomerWrite, MirrorUser, StoreError, mirror,
    error::Result,
    given::Given,
    sql::{all, statements},
    users::read_address,
};

statements! {
    CLAIMS = "SELECT a.address, a.kind, m.service, m.id, m.gone, m.external_id, m.user_principal_name, m.mail, m.proxy_addresses, m.display_name,
                  m.account_enabled, m.attributes
              FROM mirror_addresses a JOIN mirror_users m ON m.customer_id = a.customer_id AND m.id = a.mirror_user_id
              WHERE a.customer_id = $1 AND a.address ", among("$2" "TEXT"), " ORDER BY a.address, m.id";
    /// Without DISTINCT: for that, SQLite would read all claims of the customer in the order of the claimants.
    CLAIMANTS = "SELECT a.mirror_user_id FROM mirror_addresses a WHERE a.customer_id = $1 AND a.address ", among("$2" "TEXT"), "";
    HOLDERS = "SELECT a.address, a.user_id, u.source, u.external_id, a.is_primary
               FROM user_addresses a JOIN users u ON u.customer_id = a.customer_id AND u.id = a.user_id
               WHERE a.customer_id = $1 AND a.address ", among("$2" "TEXT"), " ORDER BY a.address";
}

/// How a directory object claims an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClaimKind {
    /// As its primary.
    Primary,
    /// As an alias.
    Alias,
    /// Only by its user principal name, which may become the primary when the primary's domain is not managed.
    Principal,
}

impl ClaimKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Primary, Self::Alias, Self::Principal];

    /// The name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Alias => "alias",
            Self::Principal => "principal",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One directory object's claim to one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRow {
    /// The address.
    pub address: Address,
    /// As what it is claimed.
    pub kind: ClaimKind,
    /// The directory service whose mirror the object is in.
    pub service: Service,
    /// The object.
    pub claimant: MirrorUser,
}

/// The portal user that holds an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HolderRow {
    /// The address.
    pub address: Address,
    /// The user's number.
    pub user_id: i64,
    /// Where the user comes from.
    pub source: Source,
    /// The directory's key of the user.
    pub external_id: Option<String>,
    /// Whether it is the user's primary address.
    pub is_primary: bool,
}

#[derive(sqlx::FromRow)]
struct ClaimColumns {
    address: String,
    kind: String,
    service: String,
    #[sqlx(flatten)]
    claimant: mirror::Row,
}

fn given(addresses: &[Address]) -> Given {
    Given::nothing().texts(addresses.iter().map(Address::as_str))
}

impl CustomerWrite {
    /// Every directory object in the mirror that claims one of these addresses, by address.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn claims(&mut self, addresses: &[Address]) -> Result<Vec<ClaimRow>> {
        all!(self.connection, ClaimColumns, CLAIMS, self.customer_id; given(addresses))?
            .into_iter()
            .map(|row| {
                let corrupt = |column| StoreError::corrupt("mirror_addresses", column, row.claimant.id);
                Ok(ClaimRow {
                    address: Address::parse(&row.address).ok_or_else(|| corrupt("address"))?,
                    kind: ClaimKind::named(&row.kind).ok_or_else(|| corrupt("kind"))?,
                    service: Service::named(&row.service)
                        .ok_or_else(|| StoreError::corrupt("mirror_users", "service", row.claimant.id))?,
                    claimant: row.claimant.try_into()?,
                })
            })
            .collect()
    }

    /// The objects of a service's mirror that claim one of these addresses, apart from those with a number that is known already.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn other_claimants(
        &mut self,
        service: Service,
        addresses: &[Address],
        known: &HashSet<i64>,
    ) -> Result<Vec<MirrorUser>> {
        let claimants = all!(self.connection, (i64,), CLAIMANTS, self.customer_id; given(addresses))?;
        let others: BTreeSet<i64> =
            claimants.into_iter().map(|(id,)| id).filter(|id| !known.contains(id)).collect();
        self.mirror_by_id(service, others).await
    }

    /// The portal users that hold these addresses, by address; one that nobody holds is not among them.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn holders(&mut self, addresses: &[Address]) -> Result<Vec<HolderRow>> {
        type Row = (String, i64, String, Option<String>, bool);
        all!(self.connection, Row, HOLDERS, self.customer_id; given(addresses))?
            .into_iter()
            .map(|(address, user_id, source, external_id, is_primary)| {
                Ok(HolderRow {
                    address: read_address(&address, user_id)?,
                    user_id,
                    source: Source::named(&source)
                        .ok_or_else(|| StoreError::corrupt("users", "source", user_id))?,
                    external_id,
                    is_primary,
                })
            })
            .collect()
    }
}
