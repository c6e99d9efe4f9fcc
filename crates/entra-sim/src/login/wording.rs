//! The table of errors that the token endpoint gives to applications (contract 1.3): number, OAuth code and
//! wording.

/// One row of the table of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    pub(super) code: u32,
    /// OAuth's `error`.
    pub(super) error: &'static str,
    /// `{app}` and `{tenant}` stand for the request's own.
    pub(super) text: &'static str,
}

const fn row(code: u32, error: &'static str, text: &'static str) -> Known {
    Known { code, error, text }
}

/// Every error that an application can meet. Where the wording depends on what was sent,
/// `error` fills it in; the text here is then what a test gets that switches the error on.
const TABLE: &[Known] = &[
    row(
        7000215,
        "invalid_client",
        "Invalid client secret provided. Ensure the secret being sent in the request is the client \
         secret value, not the client secret ID, for a secret added to app '{app}'.",
    ),
    row(
        7000222,
        "invalid_client",
        "The provided client secret keys for app '{app}' are expired. Visit the Azure portal to create \
         new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate \
         credentials for added security: https://aka.ms/certCreds.",
    ),
    row(
        7000218,
        "invalid_client",
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    ),
    row(
        7000216,
        "invalid_client",
        "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' \
         grant type.",
    ),
    row(50012, "invalid_client", "Client assertion contains an invalid signature."),
    row(50013, "invalid_client", "Assertion failed validation."),
    row(50027, "invalid_client", "Invalid JWT token."),
    row(
        700021,
        "invalid_client",
        "Client assertion application identifier doesn't match 'client_id' parameter.",
    ),
    row(700023, "invalid_client", "Client assertion audience claim does not match Realm issuer."),
    row(700024, "invalid_client", "Client assertion is not within its valid time range."),
    row(
        700027,
        "invalid_client",
        "The certificate with identifier used to sign the client assertion is not registered on application.",
    ),
    row(
        700016,
        "unauthorized_client",
        "Application with identifier '{app}' was not found in the directory '{tenant}'. This can happen \
         if the application has not been installed by the administrator of the tenant or consented \
         to by any user in the tenant. You may have sent your authentication request to the wrong \
         tenant.",
    ),
    row(7000112, "unauthorized_client", "Application '{app}' is disabled."),
    row(
        90002,
        "invalid_request",
        "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing \
         into the correct cloud. Check with your subscription administrator, this may happen if \
         there are no active subscriptions for the tenant.",
    ),
    row(
        900023,
        "invalid_request",
        "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain.",
    ),
    row(
        50059,
        "invalid_request",
        "No tenant-identifying information found in either the request or implied by any provided \
         credentials.",
    ),
    row(
        70011,
        "invalid_scope",
        "The provided request must include a 'scope' input parameter. The provided value for the input \
         parameter 'scope' is not valid.",
    ),
    row(
        700022,
        "invalid_request",
        "The provided value for the input parameter 'scope' is not valid because it contains more than \
         one resource.",
    ),
    row(
        500011,
        "invalid_resource",
        "The resource principal was not found in the tenant named {tenant}. This can happen if the \
         application has not been installed by the administrator of the tenant or consented to by \
         any user in the tenant. You might have sent your authentication request to the wrong \
         tenant.",
    ),
    row(70003, "unsupported_grant_type", "The app requested an unsupported grant type."),
    row(
        53003,
        "invalid_grant",
        "Access has been blocked by Conditional Access policies. The access policy does not allow token \
         issuance.",
    ),
    row(530032, "invalid_grant", "Access has been blocked by the security policies of the tenant."),
    row(
        530035,
        "invalid_grant",
        "Access has been blocked by security defaults. This is due to the request being deemed unsafe \
         by security defaults policies.",
    ),
    row(
        90038,
        "invalid_request",
        "Tenant '{tenant}' request is being redirected to the national cloud 'MicrosoftOnline.US'.",
    ),
    row(900382, "invalid_request", "Confidential Client is not supported in Cross Cloud request."),
    row(9002313, "invalid_request", "Invalid request. Request is malformed or invalid."),
    row(900144, "invalid_request", "The request body must contain the following parameter: 'grant_type'."),
    row(
        50196,
        "invalid_grant",
        "The server terminated an operation because it encountered a client request loop. Please \
         contact your app vendor.",
    ),
    row(90055, "temporarily_unavailable", "The tenant is throttled due to too many incoming requests."),
    row(90033, "temporarily_unavailable", "A transient error has occurred. Please try again."),
    row(90006, "server_error", "An external error has occurred. Please try again."),
    row(90012, "server_error", "The request to a dependent service has timed out."),
    row(
        90024,
        "temporarily_unavailable",
        "A transient error has occurred while the request budget was exceeded. Please try again.",
    ),
    row(50033, "server_error", "A transient error has occurred. Please try again."),
];

/// The row of a number, if the token endpoint gives it to applications.
pub(crate) fn known_error(code: u32) -> Option<&'static Known> {
    TABLE.iter().find(|known| known.code == code)
}
