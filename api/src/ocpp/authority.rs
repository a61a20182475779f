//! An authority of our own, which certifies chargers for security profile 3 (security white paper, 2.5 and A02).
//!
//! It is one file in the data folder, key and certificate, made when it is first needed. What a charger asks to have certified is
//! looked at: it holds the key, the key is strong enough, and the name is its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use parking_lot::Mutex;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, SerialNumber, SignatureAlgorithm, date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::{FromDer, X509Certificate, X509Name};
use x509_parser::public_key::PublicKey;

use crate::access::token;
use crate::private;

/// The file, in the data folder.
const FILE: &str = "charger-ca.pem";

/// The authority lasts so long, a charger's certificate so long.
const AUTHORITY: TimeDelta = TimeDelta::days(7300);
const CERTIFICATE: TimeDelta = TimeDelta::days(400);

/// A certificate counts from so long before it was made: clocks differ.
const EARLIER: TimeDelta = TimeDelta::days(1);

/// The shortest keys, in bits (security white paper, 2.4; OCPP 2.0.1, A00.FR.505 to 507).
const SHORTEST_RSA: usize = 2048;

/// Why there is no authority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {why}", file.display())]
pub struct NoAuthority {
    file: PathBuf,
    why: String,
}

/// Why a request to be certified is turned down, in words for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It cannot be read.
    #[error("it is no certificate signing request in PEM")]
    Unreadable,
    /// Who asks does not hold the key.
    #[error("its signature is not by its key")]
    Signature,
    /// The key is too short or of a kind that is not used.
    #[error("its key is neither EC on P-256 or P-384 nor RSA of 2048 bits or more")]
    Key,
    /// It names somebody else, or nobody.
    #[error("its common name is neither the charger's identity nor its serial number")]
    Name,
    /// There is no authority.
    #[error(transparent)]
    NoAuthority(#[from] NoAuthority),
}

/// A certificate that was given to a charger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// SHA-256 of the certificate, in hexadecimal digits.
    pub sha256: String,
    /// Until when it counts.
    pub until: DateTime<Utc>,
}

/// The authority. Clones are of the same one.
#[derive(Debug, Clone)]
pub struct Authority {
    file: PathBuf,
    made: Arc<Mutex<Option<Arc<Made>>>>,
}

struct Made {
    pem: String,
    der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Made { … }")
    }
}

/// A key as a request shows it.
struct Shown {
    bits: Vec<u8>,
    kind: &'static SignatureAlgorithm,
}

impl PublicKeyData for Shown {
    fn der_bytes(&self) -> &[u8] {
        &self.bits
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.kind
    }
}

impl Authority {
    /// That of a data folder.
    pub fn at(folder: &Path) -> Authority {
        Authority { file: folder.join(FILE), made: Arc::default() }
    }

    /// Its certificate, PEM.
    pub fn pem(&self) -> Result<String, NoAuthority> {
        self.made().map(|made| made.pem.clone())
    }

    /// Its certificate.
    pub fn root(&self) -> Result<CertificateDer<'static>, NoAuthority> {
        self.made().map(|made| made.der.clone())
    }

    /// Whether a certificate is one that it has given.
    pub fn gave(&self, certificate: &[u8]) -> Result<bool, NoAuthority> {
        let made = self.made()?;
        let (Ok((_, root)), Ok((_, given))) =
            (X509Certificate::from_der(&made.der), X509Certificate::from_der(certificate))
        else {
            return Ok(false);
        };
        Ok(given.verify_signature(Some(root.public_key())).is_ok())
    }

    /// Certifies what a request asks for, if its name is one of some: the chain in PEM, and what is kept of it.
    pub fn certify(&self, request: &str, names: &[&str], now: DateTime<Utc>) -> Result<(String, Given), Unfit> {
        let (_, pem) = parse_x509_pem(request.as_bytes()).map_err(|_| Unfit::Unreadable)?;
        let (_, asked) = X509CertificationRequest::from_der(&pem.contents).map_err(|_| Unfit::Unreadable)?;
        asked.verify_signature().map_err(|_| Unfit::Signature)?;
        let info = &asked.certification_request_info;
        let key = &info.subject_pki;
        let curve =
            || key.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok()).map(|oid| oid.to_id_string());
        let kind = match key.parsed().map_err(|_| Unfit::Key)? {
            PublicKey::RSA(rsa) if rsa.key_size() >= SHORTEST_RSA => &rcgen::PKCS_RSA_SHA256,
            PublicKey::EC(_) => match curve().as_deref() {
                Some("1.2.840.10045.3.1.7") => &rcgen::PKCS_ECDSA_P256_SHA256,
                Some("1.3.132.0.34") => &rcgen::PKCS_ECDSA_P384_SHA384,
                _ => return Err(Unfit::Key),
            },
            _ => return Err(Unfit::Key),
        };
        let name = common_name(&info.subject).filter(|name| names.contains(&name.as_str())).ok_or(Unfit::Name)?;
        let organisation = info.subject.iter_organization().next().and_then(|one| one.as_str().ok());

        let made = self.made()?;
        let until = now + CERTIFICATE;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        if let Some(organisation) = organisation {
            params.distinguished_name.push(DnType::OrganizationName, organisation);
        }
        lasts(&mut params, now - EARLIER, until);
        params.serial_number = Some(SerialNumber::from(uuid::Uuid::new_v4().as_bytes().to_vec()));
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        if kind == &rcgen::PKCS_RSA_SHA256 {
            params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let shown = Shown { bits: key.subject_public_key.data.to_vec(), kind };
        let given = params.signed_by(&shown, &made.issuer).map_err(|fault| self.fault(fault))?;
        let chain = format!("{}{}", given.pem(), made.pem);
        Ok((chain, Given { sha256: fingerprint(given.der()), until: midnight(until) }))
    }

    #[expect(clippy::needless_pass_by_value, reason = "as map_err hands it over")]
    fn fault(&self, why: impl ToString) -> NoAuthority {
        NoAuthority { file: self.file.clone(), why: why.to_string() }
    }

    fn made(&self) -> Result<Arc<Made>, NoAuthority> {
        let mut known = self.made.lock();
        if let Some(made) = &*known {
            return Ok(Arc::clone(made));
        }
        if !self.file.exists() {
            let folder = self.file.parent().unwrap_or(Path::new("."));
            std::fs::create_dir_all(folder).map_err(|fault| self.fault(fault))?;
            let text = new(Utc::now()).map_err(|fault| self.fault(fault))?;
            private::write_new(&self.file, &text).map_err(|fault| self.fault(fault))?;
        }
        let text = std::fs::read_to_string(&self.file).map_err(|fault| self.fault(fault))?;
        let bad = "holds no authority; bring back the file that was made, or remove it and certify all chargers anew";
        let read = || {
            let der = CertificateDer::from_pem_slice(text.as_bytes()).ok()?;
            let pem = text.get(text.find("-----BEGIN CERTIFICATE-----")?..)?.trim_end().to_owned() + "\n";
            let key = KeyPair::from_pem(&text).ok()?;
            let issuer = Issuer::from_ca_cert_der(&der, key).ok()?;
            Some(Made { pem, der, issuer })
        };
        let made = Arc::new(read().ok_or_else(|| self.fault(bad))?);
        *known = Some(Arc::clone(&made));
        Ok(made)
    }
}

/// A new authority: its key and its certificate, PEM.
fn new(now: DateTime<Utc>) -> Result<String, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    let id = uuid::Uuid::new_v4().simple().to_string();
    params.distinguished_name.push(DnType::CommonName, format!("Kwartier chargers {}", &id[..8]));
    lasts(&mut params, now - EARLIER, now + AUTHORITY);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = params.self_signed(&key)?;
    Ok(format!("{}{}", key.serialize_pem(), certificate.pem()))
}

/// From the beginning of one day to that of another, by UTC.
fn lasts(params: &mut CertificateParams, from: DateTime<Utc>, until: DateTime<Utc>) {
    let day = |at: DateTime<Utc>| {
        date_time_ymd(at.year(), u8::try_from(at.month()).unwrap_or(1), u8::try_from(at.day()).unwrap_or(1))
    };
    (params.not_before, params.not_after) = (day(from), day(until));
}

fn midnight(at: DateTime<Utc>) -> DateTime<Utc> {
    at.date_naive().and_time(chrono::NaiveTime::MIN).and_utc()
}

/// SHA-256 of a certificate, in hexadecimal digits.
pub fn fingerprint(certificate: &[u8]) -> String {
    token::hex(&Sha256::digest(certificate))
}

/// The common name of a certificate, where it has one and no more.
pub fn name_of(certificate: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    common_name(certificate.subject())
}

fn common_name(subject: &X509Name<'_>) -> Option<String> {
    let mut names = subject.iter_common_name().map(|name| name.as_str().ok());
    let name = names.next()??.to_owned();
    names.next().is_none().then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: &str, key: &KeyPair) -> String {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.distinguished_name.push(DnType::OrganizationName, "Depot");
        params.serialize_request(key).unwrap().pem().unwrap()
    }

    #[test]
    fn who_holds_the_key_and_says_its_own_name_is_certified() {
        let folder = tempfile::tempdir().unwrap();
        let (authority, now) = (Authority::at(folder.path()), Utc::now());
        let key = KeyPair::generate().unwrap();
        let (chain, given) = authority.certify(&request("CP-1", &key), &["CP-1", "SN1"], now).unwrap();
        let ders: Vec<_> = CertificateDer::pem_slice_iter(chain.as_bytes()).map(Result::unwrap).collect();
        assert_eq!((ders.len(), name_of(&ders[0]).as_deref()), (2, Some("CP-1")));
        assert_eq!((fingerprint(&ders[0]), &ders[1]), (given.sha256.clone(), &authority.root().unwrap()));
        let (_, leaf) = X509Certificate::from_der(&ders[0]).unwrap();
        assert!(!leaf.is_ca() && given.until > now + TimeDelta::days(390));
        assert!(leaf.extended_key_usage().unwrap().unwrap().value.client_auth);
        // Another process reads the same authority; another folder has another.
        let again = Authority::at(folder.path());
        assert_eq!(again.gave(&ders[0]), Ok(true));
        let other = tempfile::tempdir().unwrap();
        assert_eq!(Authority::at(other.path()).gave(&ders[0]), Ok(false));
        assert!(!authority.pem().unwrap().contains("PRIVATE"));
        // The same key twice is two certificates.
        let (_, second) = authority.certify(&request("CP-1", &key), &["CP-1"], now).unwrap();
        assert_ne!(second.sha256, given.sha256);
    }

    #[test]
    fn others_are_turned_down_each_for_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::at(folder.path());
        let try_it = |request: &str| authority.certify(request, &["CP-1"], Utc::now()).unwrap_err();
        let key = KeyPair::generate().unwrap();
        assert_eq!(try_it(&request("CP-2", &key)), Unfit::Name);
        assert_eq!(try_it("nonsense"), Unfit::Unreadable);
        let edwards = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        assert!(matches!(try_it(&request("CP-1", &edwards)), Unfit::Key | Unfit::Signature));
        // One letter of the name is another than was signed.
        let (_, pem) = parse_x509_pem(request("CP-2", &key).as_bytes()).map(|(rest, pem)| (rest.len(), pem)).unwrap();
        let mut der = pem.contents;
        let at = der.windows(4).position(|four| four == b"CP-2").unwrap();
        der[at + 3] = b'1';
        let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &der);
        let forged = format!("-----BEGIN CERTIFICATE REQUEST-----\n{encoded}\n-----END CERTIFICATE REQUEST-----\n");
        assert_eq!(try_it(&forged), Unfit::Signature);
    }
}
