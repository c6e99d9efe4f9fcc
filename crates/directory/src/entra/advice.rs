//! What an administrator should do about an `AADSTS` code of the token endpoint.
//!
//! Microsoft may change numbers and texts, so a code only chooses the words; what the client does next depends on `error` and on whether
//! the fault passes by itself.

/// What is wrong, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Advice {
    pub(super) headline: &'static str,
    pub(super) remedy: &'static str,
}

/// Codes that pass by themselves: trying again later is all there is to do.
pub(super) const PASSING: &[u32] = &[90055, 90033, 90006, 90012, 90024, 50033];

const TABLE: &[(&[u32], Advice)] = &[
    (
        &[7_000_215],
        Advice {
            headline: "The client secret is wrong.",
            remedy: "Paste the secret's Value, not its Secret ID. Entra shows the Value only once, when the secret is created; if it was not \
                     kept, create a new client secret under Certificates & secrets and paste its Value.",
        },
    ),
    (
        &[7_000_222],
        Advice {
            headline: "The client secret has expired.",
            remedy: "Create a new client secret under Certificates & secrets of the app (https://aka.ms/NewClientSecret), paste its Value as \
                     Client Secret, and enter its expiry date. A certificate (https://aka.ms/certCreds) lasts longer.",
        },
    ),
    (
        &[7_000_218],
        Advice {
            headline: "The request carried no client secret.",
            remedy: "Enter the Client Secret again and save. If it happens again, a proxy changes the request on its way to the login address.",
        },
    ),
    (
        &[50012, 50013, 50027, 7_000_216, 700_021, 700_022, 700_023, 700_024],
        Advice {
            headline: "The signed proof of the application was not accepted.",
            remedy: "Check that this server's clock is right, and that the certificate used here is the one uploaded to the app under \
                     Certificates & secrets and has not expired.",
        },
    ),
    (
        &[700_027],
        Advice {
            headline: "The certificate is not registered on the application.",
            remedy: "Upload the certificate to the app under Certificates & secrets. The technical detail names the thumbprint that was used.",
        },
    ),
    (
        &[700_016],
        Advice {
            headline: "This tenant does not know the application.",
            remedy: "Check Tenant Domain and Client ID against the app's Overview page: the app may live in another tenant. In the right tenant, \
                     grant admin consent, which also creates its service principal.",
        },
    ),
    (
        &[7_000_112],
        Advice {
            headline: "The application is disabled in the tenant.",
            remedy: "In Entra under Enterprise applications, open the app, and set Enabled for users to sign in to Yes.",
        },
    ),
    (
        &[90002],
        Advice {
            headline: "The tenant was not found.",
            remedy: "Check Tenant Domain against the Directory (tenant) ID of the app's Overview page. If it is right, the tenant lives in another \
                     Microsoft cloud: set ROLLCALL_ENTRA_LOGIN_URL and ROLLCALL_GRAPH_URL for that cloud.",
        },
    ),
    (
        &[900_023],
        Advice {
            headline: "The Tenant Domain is neither a tenant ID nor a domain.",
            remedy: "Correct the typing error in Tenant Domain: enter the Directory (tenant) ID or a verified domain such as \
                     contoso.onmicrosoft.com.",
        },
    ),
    (
        &[70011],
        Advice {
            headline: "The login endpoint does not accept the requested scope.",
            remedy: "This is a mistake in the set-up of this server: check that ROLLCALL_GRAPH_URL is the Graph address of your cloud, such as \
                     https://graph.microsoft.com, without a path.",
        },
    ),
    (
        &[500_011],
        Advice {
            headline: "The tenant does not know the requested Microsoft Graph.",
            remedy: "ROLLCALL_GRAPH_URL belongs to another Microsoft cloud than the tenant: set ROLLCALL_GRAPH_URL and \
                     ROLLCALL_ENTRA_LOGIN_URL for the tenant's cloud.",
        },
    ),
    (
        &[53003],
        Advice {
            headline: "Conditional Access blocks the application.",
            remedy: "A policy for workload identities blocks this server by its location or by risk. Exclude the app from the policy, or allow this \
                     server's public IP address.",
        },
    ),
    (
        &[530_032, 530_035],
        Advice {
            headline: "A security policy of the tenant blocks the application.",
            remedy: "Ask the tenant's security administrator to look up the sign-in under Sign-in logs, Service principal sign-ins, and to exempt \
                     the app.",
        },
    ),
    (
        &[50034],
        Advice {
            headline: "The tenant does not know the account.",
            remedy: "This code is about a person's sign-in, and this server signs in as an application: check that Client ID is the Application \
                     (client) ID and not a user's ID.",
        },
    ),
    (
        &[90038, 900_382],
        Advice {
            headline: "The tenant lives in another Microsoft cloud.",
            remedy: "Set ROLLCALL_ENTRA_LOGIN_URL and ROLLCALL_GRAPH_URL to the tenant's cloud, for instance login.microsoftonline.us and \
                     graph.microsoft.us for US Government.",
        },
    ),
    (
        &[9_002_313, 900_144],
        Advice {
            headline: "The login endpoint could not read the request.",
            remedy: "Check that ROLLCALL_ENTRA_LOGIN_URL is a Microsoft login address and that no proxy changes the request. If both are right, \
                     report it with the technical detail.",
        },
    ),
    (
        &[50196],
        Advice {
            headline: "The login endpoint sees a loop of requests.",
            remedy: "Wait at least five minutes before the next Test or sync. If it returns, something else signs in as this app too often.",
        },
    ),
    (
        &[90055],
        Advice {
            headline: "The login endpoint is throttling the tenant.",
            remedy: "Wait some minutes and try again. If it returns, look in the sign-in logs for an application that asks for tokens too often.",
        },
    ),
    (
        &[90033, 90006, 90012, 90024, 50033],
        Advice {
            headline: "The login endpoint has a passing fault.",
            remedy: "Nothing is wrong with the settings. Try again in some minutes; if it lasts, look at https://status.cloud.microsoft.",
        },
    ),
];

const SCOPE: Advice = Advice {
    headline: "The request named several resources at once.",
    remedy: "This is a mistake in the set-up of this server: ROLLCALL_GRAPH_URL must be one Graph address, such as \
             https://graph.microsoft.com.",
};

/// What to say when nothing better is known.
pub(super) const GENERIC: Advice = Advice {
    headline: "The login endpoint refused to issue a token.",
    remedy: "Verify Tenant Domain, Client ID and Client Secret. The technical detail names the code; \
             https://login.microsoftonline.com/error explains it.",
};

/// The advice for a code, else for the kind of `error`.
pub(super) fn advice(code: Option<u32>, error: &str) -> Advice {
    let Some(code) = code else { return by_error(error) };
    // One number, two meanings: a badly signed proof, or several resources in the scope.
    if code == 700_022 && error != "invalid_client" {
        return SCOPE;
    }
    TABLE
        .iter()
        .find(|(codes, _)| codes.contains(&code))
        .map_or_else(|| by_error(error), |(_, advice)| *advice)
}

fn by_error(error: &str) -> Advice {
    match error {
        "invalid_client" => Advice {
            headline: "The login endpoint does not accept the client secret.",
            remedy: "Verify Client ID, and paste the Value of a client secret that has not expired.",
        },
        "unauthorized_client" => Advice {
            headline: "The application may not sign in to this tenant.",
            remedy: "Verify Tenant Domain and Client ID, and that the app is enabled and has admin consent.",
        },
        "temporarily_unavailable" | "server_error" => Advice {
            headline: "The login endpoint is not available just now.",
            remedy: "Nothing is wrong with the settings. Try again in some minutes.",
        },
        _ => GENERIC,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every code of the contract's table, with the `error` it comes with and a word that the administrator needs.
    const CONTRACT: &[(u32, &str, &str)] = &[
        (7_000_215, "invalid_client", "Value"),
        (7_000_222, "invalid_client", "aka.ms/NewClientSecret"),
        (7_000_218, "invalid_client", "Client Secret"),
        (50012, "invalid_client", "clock"),
        (50013, "invalid_client", "certificate"),
        (50027, "invalid_client", "certificate"),
        (7_000_216, "invalid_client", "certificate"),
        (700_021, "invalid_client", "clock"),
        (700_022, "invalid_client", "clock"),
        (700_023, "invalid_client", "clock"),
        (700_024, "invalid_client", "clock"),
        (700_027, "invalid_client", "Upload the certificate"),
        (700_016, "unauthorized_client", "Tenant Domain and Client ID"),
        (7_000_112, "unauthorized_client", "Enabled"),
        (90002, "invalid_request", "cloud"),
        (900_023, "invalid_request", "typing error"),
        (70011, "invalid_scope", "ROLLCALL_GRAPH_URL"),
        (700_022, "invalid_request", "one Graph address"),
        (500_011, "invalid_resource", "ROLLCALL_GRAPH_URL"),
        (53003, "invalid_grant", "Exclude the app"),
        (530_032, "invalid_grant", "security administrator"),
        (530_035, "interaction_required", "security administrator"),
        (50034, "invalid_grant", "Client ID"),
        (90038, "invalid_request", "cloud"),
        (900_382, "invalid_request", "cloud"),
        (9_002_313, "invalid_request", "proxy"),
        (900_144, "invalid_request", "proxy"),
        (50196, "invalid_grant", "Wait"),
        (90055, "temporarily_unavailable", "Wait"),
        (90033, "temporarily_unavailable", "Try again"),
        (90006, "server_error", "Try again"),
        (90012, "temporarily_unavailable", "Try again"),
        (90024, "temporarily_unavailable", "Try again"),
        (50033, "server_error", "Try again"),
    ];

    #[test]
    fn every_code_of_the_contract_has_a_remedy_of_its_own_that_names_what_to_do() {
        for (code, error, word) in CONTRACT {
            let advice = advice(Some(*code), error);
            assert_ne!(advice, by_error(error), "{code}");
            assert_ne!(advice.remedy, GENERIC.remedy, "{code}");
            assert!(advice.remedy.contains(word), "{code}: {}", advice.remedy);
        }
    }

    #[test]
    fn the_table_holds_no_code_that_the_contract_does_not_know() {
        for code in TABLE.iter().flat_map(|(codes, _)| *codes).chain(PASSING) {
            assert!(CONTRACT.iter().any(|(known, ..)| known == code), "{code}");
        }
    }

    #[test]
    fn an_unknown_code_is_advised_by_its_error_and_an_unknown_error_in_general() {
        assert_eq!(advice(Some(1), "invalid_client"), by_error("invalid_client"));
        assert_eq!(advice(None, "something_new"), GENERIC);
    }
}
