"""A certificate and keys for tests, in PEM.

They are worth nothing: whoever reads this has the keys. The command ``openssl`` made them once, so that no
machine needs it to run the tests.
"""

# For localhost and 127.0.0.1, signed by itself, and valid from 2020 to 2120.
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIByTCCAW+gAwIBAgIBATAKBggqhkjOPQQDAjA9MRIwEAYDVQQDDAlsb2NhbGhv
c3QxJzAlBgNVBAoMHmFpb3NlcnZlIHRlc3QgcGFpciBvZiBubyB2YWx1ZTAgFw0y
MDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowPTESMBAGA1UEAwwJbG9jYWxo
b3N0MScwJQYDVQQKDB5haW9zZXJ2ZSB0ZXN0IHBhaXIgb2Ygbm8gdmFsdWUwWTAT
BgcqhkjOPQIBBggqhkjOPQMBBwNCAAQVY4QqN/oXXowJaszg41Chpzu9Ds+ufmho
axVMFU/i3k3JpYBYMLHpLUKNZyFVBkDWqkckJx+Y4DRj4WmKw3Rho14wXDAPBgNV
HRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIChDAdBgNVHQ4EFgQUb5p00OIpDjPr
3ZEwMfWCYvNsiq8wGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/AAABMAoGCCqGSM49
BAMCA0gAMEUCIBOYA7hJ4PTKiv2Z+Mi7+JqTAnCmQliNcBmleDs+D8wZAiEAmkco
0v7Cb/PVGWnHtBkGXoKgZfKqFB844m5J3cO6Hkw=
-----END CERTIFICATE-----
"""

# Its key, on the curve P-256.
KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgIbLuYC3vVLkcsG6p
1qGhLCNTkacNLwBxb3XdUy1FPSOhRANCAAQVY4QqN/oXXowJaszg41Chpzu9Ds+u
fmhoaxVMFU/i3k3JpYBYMLHpLUKNZyFVBkDWqkckJx+Y4DRj4WmKw3Rh
-----END PRIVATE KEY-----
"""

# The same, encrypted; the password is "secret".
ENCRYPTED_KEY = """\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAiKqgf0/rcR1gICA+gw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEAGiLMM10EazhMtrNbPtE6sEgZB3
mqbnVd5Ctn9PBi6H6nODhOkZVK0hqm79QslVdCuMt38+JCs9/wQBTLoxBmctoIv8
p8PTGcnAAciJh1o679Qq/H8zb5ToppZl5PNwz51BZJR7ACg5JG3Auh2vebKcc+kV
xgiFIsHc+V8jVs1jokiRtwPPLyh6tno9Sq3a4A+lZNZ+om1ibo41k3v/tPAHFZY=
-----END ENCRYPTED PRIVATE KEY-----
"""

# A key of the same kind that belongs to nothing.
FOREIGN_KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgcutBe6xhfIhmSO5w
ruRrm2FcA+2MEM65NsfkeFpFXJmhRANCAASg38Uf5vdNu2wXJqd1TV3qe4lgHNjy
pFgkRH+3eSVsqwCngT3HjAmop6XB4YbVTe3EsKHLl0tA9aklYQPeR0Uf
-----END PRIVATE KEY-----
"""
