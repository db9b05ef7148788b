"""A certificate authority of the test's own, by the openssl command."""

import subprocess


def _openssl(*args):
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"openssl {args[0]}: {done.stderr}"


class Certificates:
    """`ca` is the authority's certificate; server() and client() issue and return (cert, key).

    With days=0 they have expired at once.
    """

    def __init__(self, folder):
        folder.mkdir(parents=True)
        self.folder = folder
        self.ca = folder / "ca.crt"
        self._ca_key = folder / "ca.key"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-days", 2, "-subj", "/CN=Bellbuoy test authority",
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                 "-keyout", self._ca_key, "-out", self.ca)

    def server(self, name="server", names="DNS:localhost,IP:127.0.0.1", days=2):
        return self._issue(name, f"subjectAltName={names}\nextendedKeyUsage=serverAuth\n", days)

    def client(self, name, days=2):
        return self._issue(name, "extendedKeyUsage=clientAuth\n", days)

    def _issue(self, name, extensions, days):
        certificate, key, request, extra = (
            self.folder / f"{name}.{suffix}" for suffix in ("crt", "key", "csr", "ext")
        )
        # What Python 3.13 and later demand of a chain.
        extra.write_text(extensions + "authorityKeyIdentifier=keyid\n")
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self._ca_key,
                 "-CAcreateserial", "-days", days, "-extfile", extra, "-out", certificate)
        return certificate, key
