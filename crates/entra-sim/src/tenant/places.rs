//! Where and as what the invented people work.

pub(super) struct Office {
    pub(super) name: &'static str,
    pub(super) street: &'static str,
    pub(super) city: &'static str,
    pub(super) state: Option<&'static str>,
    pub(super) postal_code: &'static str,
    pub(super) country: &'static str,
    /// ISO 3166 alpha-2.
    pub(super) usage_location: &'static str,
    pub(super) phone: &'static str,
}

pub(super) const OFFICES: &[Office] = &[
    Office {
        name: "London/4.12",
        street: "12 Finsbury Square",
        city: "London",
        state: None,
        postal_code: "EC2A 1AS",
        country: "United Kingdom",
        usage_location: "GB",
        phone: "+44 20 7946",
    },
    Office {
        name: "Berlin/2.07",
        street: "Straße der Pariser Kommune 8",
        city: "Berlin",
        state: Some("Berlin"),
        postal_code: "10243",
        country: "Germany",
        usage_location: "DE",
        phone: "+49 30 23125",
    },
    Office {
        name: "Zürich/EG",
        street: "Löwenstrasse 1",
        city: "Zürich",
        state: Some("ZH"),
        postal_code: "8001",
        country: "Switzerland",
        usage_location: "CH",
        phone: "+41 44 555",
    },
    Office {
        name: "Seattle/18-2111",
        street: "1 Pine St",
        city: "Seattle",
        state: Some("WA"),
        postal_code: "98101",
        country: "United States",
        usage_location: "US",
        phone: "+1 206 555",
    },
    Office {
        name: "São Paulo/3A",
        street: "Av. Paulista 1000",
        city: "São Paulo",
        state: Some("SP"),
        postal_code: "01310-100",
        country: "Brazil",
        usage_location: "BR",
        phone: "+55 11 5550",
    },
    Office {
        name: "東京/12F",
        street: "千代田区丸の内1-1-1",
        city: "東京",
        state: Some("東京都"),
        postal_code: "100-0005",
        country: "Japan",
        usage_location: "JP",
        phone: "+81 3 5550",
    },
    Office {
        name: "Bengaluru/7",
        street: "100 Feet Road",
        city: "Bengaluru",
        state: Some("Karnataka"),
        postal_code: "560038",
        country: "India",
        usage_location: "IN",
        phone: "+91 80 5550",
    },
];

pub(super) const DEPARTMENTS: &[(&str, &[&str])] = &[
    ("Sales", &["Account Manager", "Sales Director", "Inside Sales Representative"]),
    ("Engineering", &["Software Engineer", "Principal Engineer", "Test Engineer"]),
    ("Finance", &["Accountant", "Controller", "Treasury Analyst"]),
    ("Human Resources", &["HR Business Partner", "Recruiter"]),
    ("Research & Development", &["Research Scientist", "Laboratory Technician"]),
    ("Legal", &["Attorney", "Paralegal", "Data Protection Officer"]),
    ("IT", &["System Administrator", "Service Desk Analyst"]),
    ("Marketing", &["Product Marketing Manager", "Copywriter"]),
    ("Operations", &["Plant Manager", "Logistics Coordinator", "Shift Lead"]),
];

/// Names of shared mailboxes and the local part of each.
pub(super) const SHARED_MAILBOXES: &[(&str, &str)] = &[
    ("Info Desk", "info"),
    ("Accounts Payable", "accounts.payable"),
    ("Support", "support"),
    ("Careers", "careers"),
    ("Press Office", "press"),
    ("Privacy Office", "privacy"),
    ("Facilities", "facilities"),
];

pub(super) const SERVICE_ACCOUNTS: &[&str] =
    &["svc-backup", "svc-scanner", "svc-sql", "svc-print", "svc-monitoring", "Sync_CTS-DC01"];

/// Product licences: E3, E5, F3, Business Premium.
pub(super) const LICENCES: &[&str] = &[
    "05e9a617-0261-4cee-bb44-138d3ef5d965",
    "06ebc4ee-1bb5-47dd-8120-11324bc54e06",
    "66b55226-6b4f-492c-910c-a3b7a3c9d993",
    "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46",
];

/// Companies the guests come from.
pub(super) const PARTNERS: &[(&str, &str)] = &[
    ("Northwind Traders", "northwindtraders.example"),
    ("Adatum", "adatum.example"),
    ("Fourth Coffee", "fourthcoffee.example"),
];
