#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# docs/recipes/java.md; and what `advise` says to Java. Environment: P11PROF, SHIM, ROOT.

. "$(dirname "$0")/recipe_shell.sh"
need java javac jar keytool jarsigner
# Quick starts: nothing here runs long.
export JAVA_TOOL_OPTIONS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
recipe java

check "keytool made a key" [ "$(calls_of keytool C_Login)" = 1 ]
check "jarsigner signed once" [ "$(operations_of jarsigner sign)" = 1 ]
check "Java signed" [ "$(operations_of java sign)" = 200 ]
check "... and with the copy" [ "$(operations_of java-service sign)" = 50 ]
check "SunPKCS11 calls" [ "$(called_by java-service C_Sign)" = libj2pkcs11.so ]

# Habits that cost: what is said of them is for Java.
cat >"$WORK/run/Habits.java" <<'END'
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.Security;
import java.security.Signature;

public class Habits {
    public static void main(String[] arguments) throws Exception {
        Provider provider = Security.getProvider("SunPKCS11").configure("token.cfg");
        KeyStore store = KeyStore.getInstance("PKCS11", provider);
        store.load(null, arguments[0].toCharArray());
        for (int i = 0; i < 50; i++) {
            Signature signature = Signature.getInstance("SHA256withECDSA", provider);
            signature.initSign((PrivateKey) store.getKey("signer", null));
            signature.update(new byte[100]);
            signature.sign();
        }
        for (int i = 0; i < 150; i++) {
            MessageDigest.getInstance("SHA-256", provider).digest(new byte[100]);
        }
    }
}
END
(cd "$WORK/run" && record --name habits --module "$SOFTHSM" -- java Habits.java "$PIN") ||
  cat "$WORK/notes"
"$P11PROF" advise --db "$DB" habits --all >"$WORK/lines"
tr -s ' \n' '  ' <"$WORK/lines" >"$WORK/advice"
for text in 'SunPKCS11 keeps the sessions of signatures' 'keep the Key for all operations' \
  'whenever KeyStore.load() or getKey() is called'; do
  check "advice: $text" grep -qF "$text" "$WORK/advice"
done
check "... all of it is SunPKCS11's" [ "$(sed -n 's/^  by  *//p' "$WORK/lines" | sort -u)" = libj2pkcs11.so ]
end_recipe
