"""Requests to the Ceph of the tests, signed for S3 (AWS Signature Version 4).

s3.py setup PORT           makes the buckets
s3.py put PORT PATH        puts standard input there, as the user who may do everything
s3.py delete PORT PATH     removes that object, as the same
"""
import datetime, hashlib, hmac, http.client, sys, urllib.parse

def req(port, user, method, path, query="", body=b"", headers=None, secret=None):
    """-> (status, headers, body).  query: 'a=b&c' already percent-encoded values."""
    h = {k.lower(): v for k, v in (headers or {}).items()}
    host = "127.0.0.1:%d" % int(port)
    if isinstance(body, str): body = body.encode()
    h["host"] = host
    if body or method in ("PUT", "POST"): h["content-length"] = str(len(body))
    path = urllib.parse.quote(path, safe="/-_.~%")
    if user:
        now = datetime.datetime.now(datetime.timezone.utc)
        t, d = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        h["x-amz-date"] = t
        h["x-amz-content-sha256"] = hashlib.sha256(body).hexdigest()
        names = sorted(n for n in h if n in ("host", "content-md5", "content-type") or n.startswith("x-amz-"))
        q = "&".join(sorted(p if "=" in p else p + "=" for p in query.split("&") if p))
        canon = "\n".join([method, path, q, *("%s:%s" % (n, h[n].strip()) for n in names), "",
                           ";".join(names), h["x-amz-content-sha256"]])
        scope = d + "/us-east-1/s3/aws4_request"
        sts = "\n".join(["AWS4-HMAC-SHA256", t, scope, hashlib.sha256(canon.encode()).hexdigest()])
        k = ("AWS4" + (secret or "s3cret-of-" + user)).encode()
        for part in (d, "us-east-1", "s3", "aws4_request"): k = hmac.digest(k, part.encode(), "sha256")
        h["authorization"] = "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s" % (
            user, scope, ";".join(names), hmac.digest(k, sts.encode(), "sha256").hex())
    c = http.client.HTTPConnection("127.0.0.1", int(port), timeout=30)
    c.putrequest(method, path + ("?" + query if query else ""), skip_host=True, skip_accept_encoding=True)
    for n, v in h.items(): c.putheader(n, v)
    c.endheaders(body or None)
    r = c.getresponse(); data = r.read(); c.close()
    return r.status, dict((k.lower(), v) for k, v in r.getheaders()), data

def setup(port):
    def go(user, *a, **k):
        s, _, b = req(port, user, *a, **k)
        if s // 100 != 2: sys.exit("s3 %s %s: %d %s" % (user, a, s, b.decode("utf-8", "replace")))
        return b
    go("user", "PUT", "/closed")
    go("user", "PUT", "/open", headers={"x-amz-acl": "public-read"})
    grant = '<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="%s">%s</Grantee><Permission>%s</Permission></Grant>'
    who = lambda u: ("CanonicalUser", "<ID>%s</ID>" % u)
    go("user", "PUT", "/open", "acl", '<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
       "<Owner><ID>user</ID></Owner><AccessControlList>" +
       grant % (*who("user"), "FULL_CONTROL") + grant % (*who("writer"), "WRITE") +
       grant % ("Group", "<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI>", "READ") +
       "</AccessControlList></AccessControlPolicy>")
    # The bucket's ACL lets everybody list, but each object has its own ACL: reading needs a policy.
    go("user", "PUT", "/open", "policy", '{"Version":"2012-10-17","Statement":[{"Effect":"Allow",'
       '"Principal":"*","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::open/*"]}]}')
    # Warm-up: radosgw makes its pools for data and for multipart uploads at the first use.
    go("user", "PUT", "/closed/warm-up", body="x")
    go("user", "DELETE", "/closed/warm-up")
    x = go("user", "POST", "/closed/warm-up", "uploads").decode()
    go("user", "DELETE", "/closed/warm-up", "uploadId=" + x.split("<UploadId>")[1].split("<")[0])

if __name__ == "__main__":
    if sys.argv[1] == "setup":
        setup(sys.argv[2])
    else:
        does = {"put": "PUT", "delete": "DELETE"}[sys.argv[1]]
        content = sys.stdin.buffer.read() if does == "PUT" else b""
        status, _, answer = req(sys.argv[2], "user", does, sys.argv[3], body=content)
        if status // 100 != 2:
            sys.exit("%d %s" % (status, answer.decode("utf-8", "replace")))
